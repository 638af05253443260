"""Where the parts of a store lie: what a disk and a bucket have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path


class Shelf(ABC):
    """Files and folders by name, each of which is there as a whole or not at all.

    Names are relative, with slashes. All verbs raise StoreUnavailable where the store refuses for
    now, and InvalidSpec where it would refuse again (credentials, a bucket that does not exist).
    """

    @abstractmethod
    def publish(self, name: str, write: Callable[[Path], object]) -> str:
        """Put a file or a folder in place; what is there is replaced.

        Args:
            name: where it shall be.
            write: writes it at the path that it is given, which has the same suffix.

        Returns:
            Its URI: of a folder in a bucket, it is another one each time.

        Raises:
            Superseded: a later attempt writes this store.
        """

    @abstractmethod
    def exists(self, name: str) -> bool:
        """Whether a whole file or folder is there."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """A file's bytes; None where there is none."""

    @abstractmethod
    def on_disk(self, name: str) -> AbstractContextManager[Path]:
        """A path of the file or folder for as long as the context lasts: its own or a copy's."""

    @abstractmethod
    def names(self, folder: str) -> list[str]:
        """Names of the files that lie in a folder itself, without it, sorted."""

    @abstractmethod
    def remove(self, name: str) -> None:
        """Delete a file; nothing happens where there is none.

        Raises:
            Superseded: a later attempt writes this store.
        """
