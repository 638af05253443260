"""The images that there are, and what each is made of.

An image's `.dockerignore` says which files its build may see. The same list is read here, so that
Docker and this program build from the same files and no list can forget what the other has.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

GIBIBYTE = 1 << 30
NAMES = ("operator", "trainer", "serving")
_NEEDED_DISK = {"operator": 1 * GIBIBYTE, "trainer": 6 * GIBIBYTE, "serving": 1 * GIBIBYTE}


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        name: for example `trainer`; its repository is `trainyard/trainer`.
        dockerfile: its Dockerfile.
        sources: files and folders of its context, relative to the repository's root.
        needed_disk: free bytes that a build from nothing takes.
    """

    name: str
    dockerfile: Path
    sources: tuple[str, ...]
    needed_disk: int

    @property
    def repository(self) -> str:
        """The image's name without registry and tag."""
        return f"trainyard/{self.name}"


def find(root: Path, name: str) -> Image:
    """The image of that name.

    Args:
        root: the repository's root.
        name: one of NAMES.
    """
    dockerfile = root / "images" / f"{name}.Dockerfile"
    ignored = dockerfile.with_name(f"{dockerfile.name}.dockerignore").read_text().splitlines()
    sources = tuple(line.removeprefix("!") for line in ignored if line.startswith("!"))
    return Image(name, dockerfile, sources, _NEEDED_DISK[name])
