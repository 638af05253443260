"""What an object store, or the host of a web address, refuses, and what to do about it."""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

from trainyard_api.buckets import KEYS

_STATUS: Final = re.compile(r"Server returned non-2xx status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_CREDENTIALS: Final = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidToken",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
)
_EXPIRED: Final = ("ExpiredToken", "TokenRefreshRequired")
_REGIONS: Final = ("AuthorizationHeaderMalformed", "PermanentRedirect")
_METADATA: Final = ("169.254.169.254", "metadata.google.internal", "metadata/instance")
_NO_BUCKET: Final = ("NoSuchBucket", "ContainerNotFound", "InvalidBucketName")


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


def is_lasting(refused: Refused) -> bool:
    """Whether another attempt would be refused as well."""
    return refused not in (Refused.AWAY, Refused.EXPIRED, Refused.ABSENT)


def sentence(refused: Refused, uri: str, field: str, done: str, secret: str | None = None) -> str:
    """The field, what is refused, and the cure.

    Args:
        refused: why.
        uri: of what was asked for.
        field: the block of the spec that names it: spec.storage, spec.data.source or spec.code.
        done: a participle: "read", "written".
        secret: the field of the credentials; None: that of the same block.
    """
    what = f"{uri} cannot be {done}: {refused.value}"
    secret = secret or f"{field}.secretRef"
    if refused in (Refused.CREDENTIALS, Refused.NOT_SET):
        return f"{secret}: {what}; {_credentials(uri.partition('://')[0])}"
    if refused is Refused.DENIED:
        needed = "read, write, list and delete" if field == "spec.storage" else "read and list"
        return f"{secret}: {what}; let them {needed} there, or name others"
    if refused is Refused.REGION:
        return f"{secret}: {what}; set AWS_REGION to the bucket's"
    if refused is Refused.EXPIRED:
        return f"{secret}: {what}; renew the Secret"
    return f"{field}.uri: {what}; {_CURES[refused]}"


_CURES: Final = {
    Refused.NO_BUCKET: "make it, or mend its name",
    Refused.CERTIFICATE: "set SSL_CERT_FILE to its authority's certificate",
    Refused.ABSENT: "mend the address",
    Refused.AWAY: "check the store and the way to it",
}


def _credentials(scheme: str) -> str:
    if scheme not in KEYS:
        return "the host wants a login; use an address that needs none"
    return f"the Secret (on a laptop, the environment) has to set {KEYS[scheme]}"
