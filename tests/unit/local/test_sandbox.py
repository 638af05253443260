"""The sandbox image is a well-formed OCI archive."""

import hashlib
import io
import json
import tarfile

from trainyard_local.configs import SANDBOX_IMAGE
from trainyard_local.sandbox import archive


def _files(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {entry.name: (tar.extractfile(entry) or io.BytesIO()).read() for entry in tar}


def test_every_part_is_there_under_its_digest() -> None:
    files = _files(archive(b"program", "amd64"))
    entry = json.loads(files["index.json"])["manifests"][0]
    assert entry["annotations"]["io.containerd.image.name"] == SANDBOX_IMAGE
    manifest = json.loads(files[_path(entry["digest"])])
    for part in (manifest["config"], *manifest["layers"]):
        blob = files[_path(part["digest"])]
        assert part["size"] == len(blob)
        assert part["digest"] == f"sha256:{hashlib.sha256(blob).hexdigest()}"
    assert _files(files[_path(manifest["layers"][0]["digest"])]) == {"pause": b"program"}


def test_same_program_makes_the_same_image() -> None:
    assert archive(b"program", "amd64") == archive(b"program", "amd64")


def _path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")
