"""`--code DIR`: a folder becomes an archive, and in a cluster a ConfigMap of the job."""

from __future__ import annotations

import base64
import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.cli.test_cluster_commands import EXAMPLES, pretend_kubectl
from trainyard_cli.errors import WrongInput
from trainyard_cli.main import app
from trainyard_cli.own_code import Packed, build_config_map, pack


def written(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return folder


def names_in(packed: Packed) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(packed.content)).namelist()


def test_code_is_packed_without_what_is_none(tmp_path: Path) -> None:
    folder = written(
        tmp_path,
        *("models.py", "parts/layers.py", "words.txt"),
        *(".git/config", ".venv/lib.py", "parts/__pycache__/layers.pyc", "venv/lib.py", ".env"),
    )
    assert names_in(pack(folder)) == ["models.py", "words.txt", "parts/layers.py"]


def test_the_same_code_has_the_same_digest_wherever_and_whenever(tmp_path: Path) -> None:
    one = written(tmp_path / "one", "models.py", "parts/layers.py")
    two = written(tmp_path / "two", "parts/layers.py", "models.py")
    os.utime(two / "models.py", (0, 0))
    (two / "models.py").chmod(0o600)

    assert pack(one).sha256 == pack(two).sha256
    (two / "models.py").write_text("# changed\n")
    assert pack(one).sha256 != pack(two).sha256


def test_what_is_no_code_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file.py").write_text("")
    written(tmp_path / "texts", "readme.txt")
    for path, said in (
        (tmp_path / "absent", "there is no such folder"),
        (tmp_path / "file.py", "is no folder"),
        (tmp_path / "texts", "no Python file is in it"),
    ):
        with pytest.raises(WrongInput, match=said):
            pack(path)


def test_what_no_config_map_holds_is_refused() -> None:
    with pytest.raises(WrongInput, match="1,000,001 bytes, and a ConfigMap holds a million"):
        build_config_map("mine", None, Packed(b"0" * 1_000_001, 1))


def test_submit_brings_the_code_which_belongs_to_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = EXAMPLES / "own-code"
    job = {"metadata": {"name": "own-code", "namespace": "team", "uid": "u-1"}}
    (tmp_path / "job").write_text(json.dumps(job))
    # Each thing that is applied is kept, in the order in which it came.
    script = (
        f'case "$*" in get*) cat {tmp_path}/job ;; '
        f"*) cat > {tmp_path}/given-$(ls {tmp_path} | grep -c given-); echo created ;; esac"
    )
    pretend_kubectl(tmp_path, monkeypatch, script)
    asked = ["submit", str(EXAMPLES / "own-code.yaml"), "--code", str(folder)]
    result = CliRunner().invoke(app, asked)

    assert result.exit_code == 0, result.exception
    brought, applied, owned = (
        json.loads((tmp_path / f"given-{number}").read_text()) for number in range(3)
    )
    packed = pack(folder)
    name = f"own-code-code-{packed.sha256[:12]}"
    assert brought["metadata"]["name"] == name
    assert brought["immutable"] is True
    assert base64.b64decode(brought["binaryData"]["code.zip"]) == packed.content
    assert applied["spec"]["code"] == {
        "uri": f"configmap://{name}/code.zip",
        "sha256": packed.sha256,
    }
    assert owned["binaryData"] == brought["binaryData"]
    assert owned["metadata"]["namespace"] == "team"
    assert [owner["uid"] for owner in owned["metadata"]["ownerReferences"]] == ["u-1"]
    assert f"code: 1 files, {len(packed.content):,} bytes, at configmap://{name}/" in (
        result.stdout.replace("\n", "")
    )
