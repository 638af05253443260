"""The image store: buildah with folders of its own, so that nobody else's images are touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

from trainyard_images.command import run
from trainyard_images.errors import ImagesError
from trainyard_images.places import Places

LOCAL = "localhost"


@dataclass(frozen=True)
class Stored:
    """An image in the store.

    Attributes:
        identity: its id.
        names: its names, each with host and tag.
        bytes: its size, of all its layers.
        created: when, in words.
    """

    identity: str
    names: tuple[str, ...]
    bytes: int
    created: str


def check_machine() -> None:
    """Says at once what would fail later.

    Raises:
        ImagesError: buildah is missing, or this is not root.
    """
    if shutil.which("buildah") is None:
        raise ImagesError(
            "buildah is missing; install it ('apt-get install buildah'), or build with Docker: "
            "'docker build -f images/NAME.Dockerfile .'"
        )
    if os.geteuid() != 0:
        raise ImagesError("images are built as root; try it again with sudo")


class Store:
    """The images of one cache."""

    def __init__(self, places: Places) -> None:
        self._places = places

    @cached_property
    def _command(self) -> list[str]:
        self._places.run.mkdir(parents=True, exist_ok=True)
        self._places.storage.mkdir(parents=True, exist_ok=True)
        return [
            "buildah",
            f"--storage-driver={self._driver()}",
            f"--root={self._places.storage}",
            f"--runroot={self._places.run}",
        ]

    def buildah(self, title: str, *arguments: str, say: Callable[[str], None] | None = None) -> str:
        """Runs buildah on the store; see `command.run`."""
        return run(title, [*self._command, *arguments], say)

    def images(self) -> list[Stored]:
        """The images that have a name."""
        listed = json.loads(self.buildah("listing images", "images", "--json") or "null") or []
        sizes = [
            Stored(
                identity=entry["id"],
                names=tuple(entry["names"]),
                bytes=_bytes(entry["size"]),
                created=entry["createdat"],
            )
            for entry in listed
            if entry.get("names")
        ]
        return sorted(sizes, key=lambda image: image.names)

    def find(self, name: str) -> Stored | None:
        """The image of that name, with its host and tag."""
        return next((image for image in self.images() if name in image.names), None)

    def tag(self, identity: str, names: Iterable[str]) -> None:
        """Gives an image further names; each is taken from the image that had it."""
        self.buildah("naming an image", "tag", identity, *names)

    def push(self, name: str, target: str, say: Callable[[str], None]) -> None:
        """Brings an image into a registry that speaks plain HTTP or has any certificate.

        Layers go as zstd of the lowest level: half the time of gzip, and smaller.
        """
        self.buildah(
            f"pushing {target}",
            *("push", "--tls-verify=false", "--compression-format=zstd", "--compression-level=1"),
            *(name, f"docker://{target}"),
            say=say,
        )

    def clear_leftovers(self) -> None:
        """Removes what a build that was killed has left: its containers."""
        self.buildah("removing leftovers", "rm", "--all")

    def _driver(self) -> str:
        """overlay where it works; else vfs, which copies every layer but works anywhere."""
        for driver in ("overlay", "vfs"):
            if (self._places.storage / f"{driver}-images").is_dir():
                return driver
        probe = self._places.images / "probe"
        folders = [probe / name for name in ("lower", "upper", "work", "merged")]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        lower, upper, work, merged = folders
        options = f"lowerdir={lower},upperdir={upper},workdir={work}"
        mount = ["mount", "-t", "overlay", "overlay", "-o", options, str(merged)]
        done = subprocess.run(["unshare", "--mount", *mount], capture_output=True, check=False)
        shutil.rmtree(probe, ignore_errors=True)
        return "overlay" if done.returncode == 0 else "vfs"


_UNITS = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}


def _bytes(text: str) -> int:
    """The number in buildah's `1.84 GB`."""
    number, _, unit = text.partition(" ")
    return int(float(number) * _UNITS[unit.upper()])
