"""The files that an image is built from, and the digest that becomes its tag."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainyard_images.catalogue import Image
from trainyard_images.errors import ImagesError

TAG_DIGITS = 12
_CONTEXT_TIME = 946_684_800
"""Times of files in a context: one for all, so that a checkout's times rebuild nothing."""


@dataclass(frozen=True)
class Source:
    """A file of a context.

    Attributes:
        path: relative to the repository's root, with slashes.
        file: where it is.
        executable: whether it may be run.
    """

    path: str
    file: Path
    executable: bool


def sources(root: Path, image: Image) -> list[Source]:
    """The files of an image's context, sorted.

    Raises:
        ImagesError: one that the image needs is missing.
    """
    found: dict[str, Source] = {}
    for name in image.sources:
        if not (root / name).exists():
            raise ImagesError(
                f"{name} is missing, and image {image.name} is made from it; restore it, or write "
                "generated files by 'python -m trainyard_images generate'"
            )
        for file in _files(root / name):
            path = file.relative_to(root).as_posix()
            found[path] = Source(path, file, os.access(file, os.X_OK))
    return [found[path] for path in sorted(found)]


def tag_of(root: Path, image: Image, base: str, arguments: Mapping[str, str]) -> str:
    """The tag of an image: a digest of everything that it is made of.

    Args:
        root: the repository's root.
        image: which one.
        base: identity of the image that it is built on.
        arguments: build arguments.
    """
    digest = hashlib.sha256()
    for part in (base, *(f"{key}={arguments[key]}" for key in sorted(arguments))):
        digest.update(part.encode() + b"\0")
    digest.update(image.dockerfile.read_bytes() + b"\0")
    for source in sources(root, image):
        content = source.file.read_bytes()
        digest.update(f"{source.path}\0{source.executable}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:TAG_DIGITS]


def assemble(root: Path, image: Image, folder: Path) -> None:
    """Copies an image's context into an empty folder."""
    for source in sources(root, image):
        target = folder / source.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source.file, target)
        target.chmod(0o755 if source.executable else 0o644)
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (_CONTEXT_TIME, _CONTEXT_TIME))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for child in path.iterdir():
        if child.name != "__pycache__":
            yield from _files(child)
