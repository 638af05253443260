"""How object stores are reached, and what their refusals mean."""

import pytest

from trainyard_api.buckets import Refused, WrongCredentials, open_bucket, refusal, resolve, split

CONNECTION = (
    "DefaultEndpointsProtocol=https;AccountName=store;AccountKey=a2V5;"
    "EndpointSuffix=core.windows.net"
)


def test_uri_is_bucket_and_key() -> None:
    assert split("s3://bucket/a/b/") == ("bucket", "a/b")
    assert split("az://container") == ("container", "")


def test_s3_goes_to_the_endpoint_that_is_set_for_it() -> None:
    environ = {"AWS_ENDPOINT_URL": "http://all:1", "AWS_ENDPOINT_URL_S3": "http://s3:2"}
    assert resolve("s3", environ).config["endpoint"] == "http://s3:2"
    assert resolve("s3", environ).plain
    default = resolve("s3", {"AWS_REGION": "eu-west-1"})
    assert default.config["endpoint"] == "https://s3.eu-west-1.amazonaws.com"
    assert not default.plain


def test_s3_takes_key_secret_and_session() -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "session",
    }
    give = resolve("s3", environ).credentials
    assert give is not None
    assert (give()["access_key_id"], give()["token"]) == ("key", "session")
    with pytest.raises(WrongCredentials, match="AWS_ACCESS_KEY_ID is not set"):
        resolve("s3", {"AWS_SECRET_ACCESS_KEY": "secret"})


def test_gs_takes_an_emulator_a_key_or_its_file() -> None:
    emulated = resolve("gs", {"STORAGE_EMULATOR_HOST": "127.0.0.1:9"})
    assert emulated.config == {"base_url": "http://127.0.0.1:9", "skip_signature": True}
    assert emulated.plain
    file = resolve("gs", {"GOOGLE_APPLICATION_CREDENTIALS": "/key.json"})
    assert file.config == {"application_credentials": "/key.json"}
    key = resolve("gs", {"GOOGLE_SERVICE_ACCOUNT_KEY": "{}"})
    assert key.config == {"service_account_key": "{}"}


def test_az_takes_a_connection_string_or_account_and_key() -> None:
    connected = resolve("az", {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION}).config
    assert connected == {
        "account_name": "store",
        "account_key": "a2V5",
        "endpoint": "https://store.blob.core.windows.net",
    }
    named = {"AZURE_STORAGE_ACCOUNT_NAME": "store", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5"}
    assert resolve("az", named).config == {"account_name": "store", "account_key": "a2V5"}
    with pytest.raises(WrongCredentials, match="AZURE_STORAGE_ACCOUNT_NAME is not set"):
        resolve("az", {})
    with pytest.raises(WrongCredentials, match="NAME=VALUE"):
        resolve("az", {"AZURE_STORAGE_CONNECTION_STRING": "nonsense"})


@pytest.mark.parametrize(
    ("scheme", "environ"),
    [
        ("gs", {"GOOGLE_SERVICE_ACCOUNT_KEY": '{"private_key": "of-a-friend'}),
        ("az", {"AZURE_STORAGE_ACCOUNT_NAME": "x", "AZURE_STORAGE_ACCOUNT_KEY": "of-a-friend!"}),
    ],
)
def test_credentials_that_cannot_be_read_are_not_repeated(
    scheme: str, environ: dict[str, str]
) -> None:
    with pytest.raises(WrongCredentials, match="cannot be read") as caught:
        open_bucket(f"{scheme}://bucket/x", environ)
    assert "of-a-friend" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("404 Not Found: <Error><Code>NoSuchBucket</Code></Error>", Refused.NO_BUCKET),
        ("404 Not Found: <Error><Code>ContainerNotFound</Code></Error>", Refused.NO_BUCKET),
        ("404 Not Found: <Error><Code>NoSuchKey</Code></Error>", Refused.ABSENT),
        ("403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code></Error>", Refused.CREDENTIALS),
        ("403 Forbidden: <Error><Code>AuthenticationFailed</Code></Error>", Refused.CREDENTIALS),
        ("403 Forbidden: <Error><Code>AccessDenied</Code></Error>", Refused.DENIED),
        ("401 Unauthorized: ", Refused.DENIED),
        ("400 Bad Request: <Error><Code>ExpiredToken</Code></Error>", Refused.EXPIRED),
        ("301 Moved: <Error><Code>PermanentRedirect</Code></Error>", Refused.REGION),
        ("503 Service Unavailable: <Error><Code>SlowDown</Code></Error>", Refused.AWAY),
        ("500 Internal Server Error: ", Refused.AWAY),
    ],
)
def test_answer_of_a_store_is_understood_by_code_and_status(said: str, meant: Refused) -> None:
    assert refusal(Exception(f"Server returned non-2xx status code: {said}")) is meant


def test_lost_connection_is_a_store_that_is_away() -> None:
    assert refusal(Exception("HTTP error: error sending request")) is Refused.AWAY
    assert refusal(TimeoutError()) is Refused.AWAY
    assert refusal(Exception("invalid peer certificate: UnknownIssuer")) is Refused.CERTIFICATE
