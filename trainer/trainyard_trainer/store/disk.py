"""A store on a disk: files and folders are written aside and renamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from trainyard_trainer.store.fence import Fence, Writer
from trainyard_trainer.store.location import Location
from trainyard_trainer.store.publish import publish, put
from trainyard_trainer.store.refusals import guarded
from trainyard_trainer.store.shelf import Shelf


class Disk(Shelf):
    """The parts of a store below a folder.

    Args:
        location: of the folder; it is made when something is written.
        root: the folder.
        writer: who writes.
    """

    def __init__(self, location: Location, root: Path, writer: Writer) -> None:
        self._location = location
        self._root = root
        fence = root / writer.fence
        self.fence = Fence(
            writer,
            location.uri,
            lambda: _read(fence),
            lambda content: put(fence, content, writer.mark),
        )

    def publish(self, name: str, write: Callable[[Path], object]) -> str:
        publish(self._root / name, write, self.fence)
        return self._location.below(name).uri

    def exists(self, name: str) -> bool:
        with guarded(self._root / name, "read"):
            return (self._root / name).exists()

    def read(self, name: str) -> bytes | None:
        return _read(self._root / name)

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        yield self._root / name

    def names(self, folder: str) -> list[str]:
        with guarded(self._root / folder, "read"):
            if not (self._root / folder).is_dir():
                return []
            return sorted(
                path.name
                for path in (self._root / folder).iterdir()
                if not path.name.startswith(".") and path.is_file()
            )

    def remove(self, name: str) -> None:
        self.fence.check()
        with guarded(self._root / name, "deleted"):
            (self._root / name).unlink(missing_ok=True)


def _read(path: Path) -> bytes | None:
    with guarded(path, "read"):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
