"""Environment variables and options."""

from __future__ import annotations

import pytest

from trainyard_api import environment
from trainyard_serving.settings import InvalidSettings, read_settings

GIVEN = {
    environment.MODEL_URI: "pvc://models/run/compressed/int8.tflite",
    environment.MODEL_SHA256: "AB" * 32,
    environment.MODEL_NAME: "digits",
}


def test_the_environment_alone_is_enough() -> None:
    settings = read_settings([], GIVEN)
    assert (settings.host, settings.port) == ("::", 8080)
    assert settings.model_sha256 == "ab" * 32
    assert settings.limits.max_body_bytes == 16 * 1024 * 1024


def test_the_revision_is_the_runs_id_or_else_the_digests_beginning() -> None:
    assert read_settings([], GIVEN).revision == "ab" * 6
    assert read_settings([], GIVEN | {environment.RUN: "1-5f3a9c"}).revision == "1-5f3a9c"


def test_all_missing_variables_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as raised:
        read_settings([], {environment.MODEL_NAME: "digits"})
    assert environment.MODEL_URI in str(raised.value)
    assert environment.MODEL_SHA256 in str(raised.value)


@pytest.mark.parametrize("port", ["http", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(InvalidSettings, match=environment.PORT):
        read_settings([], GIVEN | {environment.PORT: port})


@pytest.mark.parametrize("option", ["--max-rows=0", "--drain-seconds=-1", "--threads=many"])
def test_an_option_out_of_bounds_ends_with_2(option: str) -> None:
    with pytest.raises(SystemExit) as raised:
        read_settings([option], GIVEN)
    assert raised.value.code == 2


def test_help_names_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_settings(["--help"], {})
    text = capsys.readouterr().out
    for name in [*GIVEN, environment.HOST, environment.PORT, environment.VOLUMES]:
        assert name in text
