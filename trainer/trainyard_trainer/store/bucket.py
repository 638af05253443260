"""A store in a bucket: an object is there as a whole, and a folder once its manifest is.

There is no rename. One file is one object, which no reader sees before its last byte is there. The
files of a folder go below a name of their attempt's own, and the manifest that names that name and
each file is written last; readers go by the manifest. Why not in place: between the first file and
the last one the folder would be half of one attempt and half of another.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Final

from trainyard_trainer.store.fence import Fence, Writer
from trainyard_trainer.store.location import Location
from trainyard_trainer.store.refusals import guarded
from trainyard_trainer.store.shelf import Shelf

_MANIFEST: Final = ".manifest.json"


class Bucket(Shelf):
    """The parts of a store below a prefix.

    Args:
        location: of the prefix, in a bucket.
        writer: who writes.
    """

    def __init__(self, location: Location, writer: Writer) -> None:
        self._location = location
        self.fence = Fence(
            writer,
            location.uri,
            lambda: self.read(writer.fence),
            location.below(writer.fence).put,
        )

    def publish(self, name: str, write: Callable[[Path], object]) -> str:
        with _scratch(name) as local:
            with guarded(local, "written"):
                write(local)
            if local.is_dir():
                return self._publish_folder(name, local)
            self.fence.check()
            self._location.below(name).put(local)
        return self._location.below(name).uri

    def exists(self, name: str) -> bool:
        return self._is_file(name) or self._manifest(name) is not None

    def read(self, name: str) -> bytes | None:
        location = self._location.below(name)
        return location.read() if self._is_file(name) else None

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        manifest = self._manifest(name)
        with _scratch(name) as local:
            if manifest is None:
                self._location.below(name).copy_to(local)
            else:
                mark, files = manifest
                for file in files:
                    self._location.below(f"{name}/{mark}/{file}").copy_to(local / file)
            yield local

    def names(self, folder: str) -> list[str]:
        found = (entry.name for entry in self._location.below(folder).files())
        return [name for name in found if name and "/" not in name]

    def remove(self, name: str) -> None:
        self.fence.check()
        self._location.below(name).delete([""])

    def _publish_folder(self, name: str, local: Path) -> str:
        mark = self.fence.writer.mark
        files = [path.relative_to(local).as_posix() for path in local.rglob("*") if path.is_file()]
        folder = self._location.below(f"{name}/{mark}")
        for file in files:
            folder.below(file).put(local / file)
        self.fence.check()
        manifest = {"folder": mark, "files": sorted(files)}
        self._location.below(name + _MANIFEST).put(json.dumps(manifest).encode())
        self._clear(name)
        return folder.uri

    def _clear(self, name: str) -> None:
        """Delete what attempts that are over left of a folder; a newer one's is left alone."""
        whole = self._location.below(name)
        writer = self.fence.writer
        left = [file.name for file in whole.files() if writer.outlives(file.name.split("/")[0])]
        whole.delete(left)

    def _manifest(self, name: str) -> tuple[str, list[str]] | None:
        """Where the files of a folder are, below its name; None where there is no whole one."""
        content = self.read(name + _MANIFEST)
        try:
            manifest = json.loads(content or b"")
            return str(manifest["folder"]), [str(file) for file in manifest["files"]]
        except (ValueError, KeyError, TypeError):
            return None

    def _is_file(self, name: str) -> bool:
        return self._location.below(name).is_file()


@contextmanager
def _scratch(name: str) -> Iterator[Path]:
    """A path on this machine's disk with a part's own name; what is there goes at the end."""
    with tempfile.TemporaryDirectory(prefix="trainyard-") as folder:
        yield Path(folder) / PurePosixPath(name).name
