"""Brings an image into the cluster, under the name that pods ask for it by.

It goes through the cluster's registry: a registry takes only the layers that it does not have,
where an archive is written and read whole each time (for TensorFlow's two gigabytes that is most
of a minute against a fraction of a second).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trainyard_local import status
from trainyard_local.console import Console
from trainyard_local.errors import ClusterError
from trainyard_local.packages import search_path
from trainyard_local.places import Places, Roots
from trainyard_local.sandbox import NAMESPACE


@dataclass(frozen=True)
class Reference:
    """An image's name, taken apart.

    Attributes:
        host: the registry's address; `localhost` for what was only built here.
        path: the image's name in the registry.
        tag: its tag.
    """

    host: str
    path: str
    tag: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}:{self.tag}"


def parse_reference(text: str) -> Reference:
    """Takes a name apart as container tools do: no host means Docker's.

    >>> str(parse_reference("trainyard/trainer"))
    'docker.io/trainyard/trainer:latest'

    Raises:
        ClusterError: it names an image by its digest, which has no tag to pull it by.
    """
    if "@" in text:
        raise ClusterError(f"give '{text}' a tag, and load it by that")
    first, slash, rest = text.partition("/")
    is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, path = (first, rest) if is_host else ("docker.io", text)
    path, colon, tag = path.rpartition(":")
    if not colon or "/" in tag:
        path, tag = (f"{path}{colon}{tag}", "latest")
    if host == "docker.io" and "/" not in path:
        path = f"library/{path}"
    return Reference(host, path, tag)


def load(roots: Roots, name: str, image: str, console: Console) -> list[str]:
    """Brings an image into the cluster.

    Args:
        roots: say where the state and trainyard's own builds lie.
        name: of the cluster.
        image: an archive's path (docker-archive or OCI), or the name of an image in the store of
            trainyard's builds or in buildah's.
        console: shows the steps.

    Returns:
        The image's names in the registry, one unless an archive has several. Pods may ask for it
        by its own name as well.

    Raises:
        ClusterError: the cluster does not run, or there is no such image.
    """
    places = roots.cluster(name)
    registry = status.running(roots, name, whole=True).registry
    assert registry is not None
    targets = []
    with console.step(f"loading {image}"):
        store, found = _find(roots, image)
        for local in found:
            own = parse_reference(local)
            target = f"{registry}/{own.path}:{own.tag}"
            _run([*store, "push", "--tls-verify=false", "--quiet", local, f"docker://{target}"])
            # buildah calls it localhost/x what a pod asks for by x.
            asked = own if Path(image).is_file() else parse_reference(image)
            _pull(places, target, {str(own), str(asked)})
            targets.append(target)
    return targets


def _find(roots: Roots, image: str) -> tuple[list[str], list[str]]:
    """Returns the command for the store that has the image, and the image's names there."""
    own = ["buildah", "--storage-driver=overlay"]
    own += [f"--root={roots.image_storage}", f"--runroot={roots.image_run}"]
    if Path(image).is_file():
        return own, _import(own, Path(image))
    wanted = {image, str(parse_reference(image)), f"localhost/{image}", f"localhost/{image}:latest"}
    for store in [own, ["buildah"]] if roots.image_storage.exists() else [["buildah"]]:
        names = [name for names in _stored(store).values() for name in names if name in wanted]
        if names:
            return store, names[:1]
    raise ClusterError(
        f"'{image}' is neither an archive nor an image that buildah knows; list those by "
        f"'buildah images' and '{' '.join(own)} images'"
    )


def _import(store: Sequence[str], archive: Path) -> list[str]:
    """Reads an archive into the store; returns the image's names there."""
    said = []
    for kind in ("docker-archive", "oci-archive"):
        command = [*store, "pull", "--quiet", f"{kind}:{archive.absolute()}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_direct())
        if done.returncode == 0:
            identity = done.stdout.split()[-1]
            names = _stored(store).get(identity[:12], [])
            return names or [_name(store, identity, archive)]
        said.append(done.stderr.strip())
    raise ClusterError(f"{archive} is no image archive: {'; '.join(said)}")


def _name(store: Sequence[str], identity: str, archive: Path) -> str:
    """Names an image that came without a name after its archive."""
    name = f"localhost/{archive.name.split('.')[0].lower()}:latest"
    _run([*store, "tag", identity, name])
    return name


def _stored(store: Sequence[str]) -> dict[str, list[str]]:
    """Returns the names of each image in a store, by the first 12 digits of its id."""
    listed = json.loads(_run([*store, "images", "--json"]) or "[]")
    return {str(item["id"])[:12]: list(item["names"] or []) for item in listed or []}


def _pull(places: Places, target: str, names: set[str]) -> None:
    ctr = ["ctr", "--address", str(places.containerd_socket), "--namespace", NAMESPACE, "images"]
    hosts = str(places.config / "registries")
    _run([*ctr, "pull", "--hosts-dir", hosts, target])
    for name in sorted(names):
        _run([*ctr, "tag", "--force", target, name])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_direct())
    if done.returncode != 0:
        end = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise ClusterError(f"'{' '.join(command)}' failed: {end}")
    return done.stdout


def _direct() -> dict[str, str]:
    """Returns the environment without its proxies: the registry is on this machine."""
    kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    return {**kept, "PATH": search_path()}
