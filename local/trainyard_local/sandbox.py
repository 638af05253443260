"""Packs the image that every pod's sandbox runs, without any registry or image builder.

containerd needs one image before it can run any other. It holds one small program, so an OCI
archive of it is a few lines.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import subprocess
import tarfile
from pathlib import Path

from trainyard_local.configs import SANDBOX_IMAGE
from trainyard_local.errors import ClusterError
from trainyard_local.places import Places

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
NAMESPACE = "k8s.io"


def archive(program: bytes, architecture: str) -> bytes:
    """Returns an OCI archive of an image whose only file is the program.

    Args:
        program: a statically linked executable.
        architecture: as Go names it.
    """
    layer = _tar({"pause": program}, mode=0o755)
    config = _encode(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": ["/pause"], "User": "65535:65535"},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
    )
    manifest = _encode(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": _descriptor(config, "application/vnd.oci.image.config.v1+json"),
            "layers": [_descriptor(layer, "application/vnd.oci.image.layer.v1.tar")],
        }
    )
    entry = _descriptor(manifest, "application/vnd.oci.image.manifest.v1+json")
    entry["annotations"] = {"io.containerd.image.name": SANDBOX_IMAGE}
    index = _encode({"schemaVersion": 2, "manifests": [entry]})
    blobs = {f"blobs/sha256/{_hex(blob)}": blob for blob in (layer, config, manifest)}
    layout = _encode({"imageLayoutVersion": "1.0.0"})
    return _tar({"oci-layout": layout, "index.json": index, **blobs}, mode=0o644)


def ensure(places: Places, program: Path) -> None:
    """Puts the image into containerd, unless it is there.

    Raises:
        ClusterError: containerd refused it.
    """
    ctr = ["ctr", "--address", str(places.containerd_socket), "--namespace", NAMESPACE]
    query = [*ctr, "images", "list", "--quiet", f"name=={SANDBOX_IMAGE}"]
    listed = subprocess.run(query, capture_output=True, text=True, check=False)
    if SANDBOX_IMAGE in listed.stdout.split():
        return
    content = archive(program.read_bytes(), ARCHITECTURES.get(platform.machine(), "amd64"))
    done = subprocess.run(
        [*ctr, "images", "import", "-"], input=content, capture_output=True, check=False
    )
    if done.returncode != 0:
        raise ClusterError(
            f"containerd refused the sandbox image: {done.stderr.decode(errors='replace').strip()}"
        )


def _tar(files: dict[str, bytes], mode: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def _encode(content: dict[str, object]) -> bytes:
    return json.dumps(content, sort_keys=True).encode()


def _descriptor(content: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": kind, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{_hex(content)}"


def _hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
