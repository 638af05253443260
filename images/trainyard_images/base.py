"""The image that the others are built on, made without any registry: Debian with its Python.

debootstrap unpacks a minimal Debian, which becomes an image of one layer. With a registry at hand
`build --base python:3.11-slim-bookworm` leaves all of this out.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from trainyard_images.command import run
from trainyard_images.console import Console
from trainyard_images.disk import require_disk
from trainyard_images.errors import ImagesError
from trainyard_images.places import Places
from trainyard_images.store import LOCAL, Store, Stored

SUITE = "bookworm"
PACKAGES = ("ca-certificates", "python3", "python3-venv")
_UNNEEDED = (
    "usr/share/doc",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/man",
    "var/cache/apt",
    "var/cache/debconf",
    "var/lib/apt/lists",
    "var/log",
)
_NEEDED_DISK = 2 << 30


def base_name() -> str:
    """The image's name; its tag is a digest of what it is made from."""
    recipe = "\0".join((SUITE, *PACKAGES, *_UNNEEDED))
    return f"{LOCAL}/trainyard/base:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def ensure(places: Places, store: Store, console: Console, *, fresh: bool = False) -> Stored:
    """The base image, made where it is not there yet.

    Args:
        places: where to work.
        store: takes the image.
        console: shows the steps.
        fresh: make it again, from the packages of today.

    Raises:
        ImagesError: debootstrap is missing or failed.
    """
    existing = store.find(base_name())
    if existing is not None and not fresh:
        return existing
    if shutil.which("debootstrap") is None:
        raise ImagesError(
            "debootstrap is missing; install it ('apt-get install debootstrap'), or name an image "
            "to build on: 'build --base python:3.11-slim-bookworm'"
        )
    require_disk(places.images, _NEEDED_DISK)
    places.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="base-", dir=places.work) as folder:
        system = Path(folder) / "system"
        _bootstrap(system, console)
        with console.step("base: making an image of it"):
            _commit(store, system)
    made = store.find(base_name())
    assert made is not None
    return made


def _bootstrap(system: Path, console: Console) -> None:
    with console.step(f"base: debootstrap {SUITE}") as step:
        # In a mount namespace of its own: whatever it mounts is gone with it, however it ends.
        run(
            "debootstrap",
            [
                *("unshare", "--mount", "--propagation=private"),
                *("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}"),
                *(SUITE, str(system)),
            ],
            say=lambda line: step.detail(line.removeprefix("I: ")),
        )
    for name in _UNNEEDED:
        for path in (system / name).iterdir() if (system / name).is_dir() else ():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _commit(store: Store, system: Path) -> None:
    container = store.buildah("starting a base", "from", "scratch").strip()
    try:
        store.buildah("copying the base", "copy", "--quiet", container, str(system), "/")
        store.buildah("setting up the base", "config", "--cmd", "python3", container)
        store.buildah("saving the base", "commit", "--quiet", container, base_name())
    finally:
        store.buildah("removing a container", "rm", container)
