"""Where the URIs of `spec.data.source` and `spec.storage` are on a pod's disk.

Claims are mounted below one folder in every pod, so a URI means the same path for the
trainer, the compression and the serving pod, in a cluster and as local processes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from trainyard_api import environment
from trainyard_api.names import VOLUMES_ROOT


class UnsupportedLocation(ValueError):
    """A URI whose scheme has no path on the disk."""


def scheme(uri: str) -> str:
    """The scheme of a URI: `pvc` of `pvc://claim/path`."""
    return uri.partition("://")[0]


def may_change(uri: str) -> bool:
    """Whether other data may come to lie there: not in the data sets that libraries bring."""
    return scheme(uri) not in ("keras", "sklearn")


def claim(uri: str) -> str | None:
    """The claim that a pvc:// URI names; None for other schemes."""
    kind, _, rest = uri.partition("://")
    return rest.partition("/")[0] if kind == "pvc" else None


def config_map(uri: str) -> tuple[str, str] | None:
    """Name and key of a configmap:// URI; None for other schemes."""
    kind, _, rest = uri.partition("://")
    name, _, key = rest.partition("/")
    return (name, key) if kind == "configmap" else None


def join(uri: str, *parts: str) -> str:
    """A URI below another one."""
    return "/".join([uri.rstrip("/"), *parts])


def local_path(uri: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The path of a file:// or pvc:// URI in this pod.

    Raises:
        UnsupportedLocation: another scheme, or a path that leaves its claim.
    """
    kind, _, rest = uri.partition("://")
    if ".." in PurePosixPath(rest).parts:
        raise UnsupportedLocation(f"{uri}: a path must not contain '..'")
    if kind == "file":
        return Path(rest)
    if kind == "pvc":
        return Path(environ.get(environment.VOLUMES, VOLUMES_ROOT)) / rest
    raise UnsupportedLocation(
        f"{uri}: {kind}:// is not built yet; use pvc://CLAIM/PATH or file:///PATH"
    )
