"""How the object stores s3, gs and az are reached, from the variables that a Secret brings.

The client is obstore, in the trainer as in serving; it is imported when a bucket is opened, and
nobody else needs it. What it reads from the process's environment itself is laid over by what is
said here, so that two locations of one process can have credentials of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES: Final = ("s3", "gs", "az")
FAMILIES: Final = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
"""How the variables of a scheme begin."""
KEYS: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_ENDPOINT_URL where it is not AWS)",
    "gs": "GOOGLE_SERVICE_ACCOUNT_KEY (the JSON itself) or GOOGLE_APPLICATION_CREDENTIALS (a file)",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or "
    "AZURE_STORAGE_CONNECTION_STRING",
}
"""What has to be set, for messages."""

_CONNECT: Final = timedelta(seconds=5)
_BETWEEN_BYTES: Final = timedelta(seconds=20)
_OBJECT: Final = timedelta(minutes=15)
_PATIENCE: Final = timedelta(seconds=30)
_RETRIES: Final = 10
_BACKOFF: Final = {
    "init_backoff": timedelta(milliseconds=200),
    "max_backoff": timedelta(seconds=5),
    "base": 2,
}
_REGION: Final = "us-east-1"
_STATUS: Final = re.compile(r"Server returned non-2xx status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_CREDENTIALS: Final = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
)
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "InvalidBucketName")
_EXPIRED: Final = ("ExpiredToken", "TokenRefreshRequired")
_REGIONS: Final = ("AuthorizationHeaderMalformed", "PermanentRedirect")
_METADATA: Final = ("169.254.169.254", "metadata.google.internal", "metadata/instance")


class WrongCredentials(ValueError):
    """Credentials that cannot be used as they are set; the message names the variable."""


class Refused(Enum):
    """Why an object store did not do what it was asked."""

    ABSENT = "nothing is there"
    NO_BUCKET = "there is no such bucket"
    CREDENTIALS = "the credentials are refused"
    DENIED = "the credentials do not allow it"
    NOT_SET = "no credentials are set"
    EXPIRED = "the credentials have expired"
    REGION = "the bucket is in another region"
    CERTIFICATE = "its certificate is not trusted"
    AWAY = "it does not answer"


@dataclass(frozen=True)
class Access:
    """What obstore is told of a store.

    Attributes:
        config: options of the scheme, by obstore's names.
        credentials: gives the keys; None where the client finds them by itself.
        plain: whether it is spoken to without TLS, as an endpoint in the cluster may be.
    """

    config: dict[str, Any]
    credentials: Callable[[], dict[str, Any]] | None
    plain: bool


def open_bucket(uri: str, environ: Mapping[str, str]) -> ObjectStore:
    """The bucket of an s3://, gs:// or az:// URI; nothing is asked of it yet.

    What is transient (no connection, 5xx, a reset midway) is tried again inside the client, for
    half a minute in all.

    Raises:
        WrongCredentials: a variable is missing or cannot be read.
    """
    from obstore.exceptions import BaseError
    from obstore.store import AzureStore, GCSStore, S3Store

    scheme, bucket = uri.partition("://")[0], split(uri)[0]
    access = resolve(scheme, environ)
    make: Any = {"s3": S3Store, "gs": GCSStore, "az": AzureStore}[scheme]
    try:
        made: ObjectStore = make(
            bucket,
            config=access.config,
            credential_provider=access.credentials,
            client_options={
                "allow_http": access.plain,
                "connect_timeout": _CONNECT,
                "read_timeout": _BETWEEN_BYTES,
                "timeout": _OBJECT,
            },
            retry_config={
                "max_retries": _RETRIES,
                "retry_timeout": _PATIENCE,
                "backoff": _BACKOFF,
            },
        )
    except (BaseError, ValueError, OSError) as error:
        # What it says may quote the key.
        raise WrongCredentials(
            f"the credentials cannot be read ({type(error).__name__}); set {KEYS[scheme]}"
        ) from None
    return made


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an s3://, gs:// or az:// URI, both without slashes around them."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key.strip("/")


def resolve(scheme: str, environ: Mapping[str, str]) -> Access:
    """How a scheme's store is reached with the variables of an environment.

    Raises:
        WrongCredentials: a variable cannot be read.
    """
    return _ACCESS[scheme](environ)


def _s3(environ: Mapping[str, str]) -> Access:
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or _REGION
    own = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL")
    endpoint = own or f"https://s3.{region}.amazonaws.com"
    config: dict[str, Any] = {"region": region, "endpoint": endpoint}
    config["aws_endpoint_url_s3"] = endpoint
    if environ.get("AWS_SKIP_SIGNATURE", "").lower() in ("1", "true"):
        config["skip_signature"] = True
    key, secret = environ.get("AWS_ACCESS_KEY_ID"), environ.get("AWS_SECRET_ACCESS_KEY")
    if bool(key) != bool(secret):
        missing = "AWS_SECRET_ACCESS_KEY" if key else "AWS_ACCESS_KEY_ID"
        raise WrongCredentials(f"{missing} is not set, and the other half of the key is")
    keys = {
        "access_key_id": key,
        "secret_access_key": secret,
        "token": environ.get("AWS_SESSION_TOKEN") or None,
        "expires_at": None,
    }
    return Access(config, (lambda: dict(keys)) if key else None, _is_plain(endpoint))


def _gs(environ: Mapping[str, str]) -> Access:
    if emulator := environ.get("STORAGE_EMULATOR_HOST"):
        base = emulator if "://" in emulator else f"http://{emulator}"
        return Access({"base_url": base, "skip_signature": True}, None, _is_plain(base))
    config: dict[str, Any] = {}
    if key := environ.get("GOOGLE_SERVICE_ACCOUNT_KEY"):
        config["service_account_key"] = key
    elif file := environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        config["application_credentials"] = file
    return Access(config, None, False)


def _az(environ: Mapping[str, str]) -> Access:
    pairs = _connection(environ.get("AZURE_STORAGE_CONNECTION_STRING", ""))
    account = pairs.get("AccountName") or environ.get("AZURE_STORAGE_ACCOUNT_NAME")
    key = pairs.get("AccountKey") or environ.get("AZURE_STORAGE_ACCOUNT_KEY")
    sas = pairs.get("SharedAccessSignature") or environ.get("AZURE_STORAGE_SAS_KEY")
    if not account:
        raise WrongCredentials(
            "AZURE_STORAGE_ACCOUNT_NAME is not set, and without it there is no address"
        )
    config: dict[str, Any] = {"account_name": account}
    config |= {"account_key": key} if key else {}
    config |= {"sas_key": sas} if sas and not key else {}
    endpoint = pairs.get("BlobEndpoint") or environ.get("AZURE_STORAGE_ENDPOINT")
    suffix = pairs.get("EndpointSuffix")
    if endpoint is None and suffix:
        protocol = pairs.get("DefaultEndpointsProtocol", "https")
        endpoint = f"{protocol}://{account}.blob.{suffix}"
    config |= {"endpoint": endpoint} if endpoint else {}
    return Access(config, None, _is_plain(endpoint or ""))


_ACCESS: Final = {"s3": _s3, "gs": _gs, "az": _az}


def _connection(text: str) -> dict[str, str]:
    """The parts of Azure's connection string, `NAME=VALUE;NAME=VALUE`."""
    parts = [part for part in text.split(";") if part]
    if any("=" not in part for part in parts):
        raise WrongCredentials("AZURE_STORAGE_CONNECTION_STRING is not NAME=VALUE;NAME=VALUE")
    return {name: value for name, _, value in (part.partition("=") for part in parts)}


def _is_plain(endpoint: str) -> bool:
    return urlsplit(endpoint).scheme == "http"


def refusal(error: BaseException) -> Refused:
    """What an error of the client means.

    Only the store's code and status are looked at. Nothing else of its answer is shown to
    anybody: some stores repeat the key, or what was signed.
    """
    text = str(error)
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    if any(host in text for host in _METADATA):
        # Without keys the client asks the machine that it runs on for some.
        return Refused.NOT_SET
    if code in _CREDENTIALS:
        return Refused.CREDENTIALS
    if code in _NO_BUCKET:
        return Refused.NO_BUCKET
    if code in _EXPIRED:
        return Refused.EXPIRED
    if code in _REGIONS or status == 301:
        return Refused.REGION
    if not status and "certificate" in text:
        return Refused.CERTIFICATE
    if status in (401, 403) or type(error).__name__ in _DENIED:
        return Refused.DENIED
    if status == 404 or isinstance(error, FileNotFoundError):
        return Refused.ABSENT
    return Refused.AWAY


_DENIED: Final = ("PermissionDeniedError", "UnauthenticatedError")
