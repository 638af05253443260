"""Where things lie. The image store is the one that `trainyard cluster load` looks into."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Places:
    """The folders of the cache.

    Attributes:
        cache: the folder that TRAINYARD_CACHE names; default ~/.cache/trainyard.
    """

    cache: Path

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Places:
        """The places that the environment asks for."""
        home = Path(environment.get("HOME") or Path.home())
        cache = Path(environment.get("TRAINYARD_CACHE") or home / ".cache/trainyard")
        return cls(cache.absolute())

    @property
    def images(self) -> Path:
        """Everything of the images."""
        return self.cache / "images"

    @property
    def storage(self) -> Path:
        """Images and layers (`buildah --root`)."""
        return self.images / "storage"

    @property
    def run(self) -> Path:
        """What buildah needs while it runs (`buildah --runroot`)."""
        return self.images / "run"

    @property
    def work(self) -> Path:
        """Contexts and base systems in the making; void when nothing is being built."""
        return self.images / "work"

    @property
    def lock(self) -> Path:
        """Held while something is built."""
        return self.images / ".lock"

    @property
    def node_builds(self) -> Path:
        """Programs of the local cluster, helm among them: a folder for each version."""
        return self.cache / "node"
