"""fsspec's view of a bucket, for libraries that read through fsspec (pyarrow, pandas)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obstore.fsspec import FsspecStore

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class _OneBucket(FsspecStore):
    """A filesystem whose only bucket is open already, with the credentials of its location."""

    cachable = False

    def __init__(self, scheme: Any, bucket: ObjectStore) -> None:
        self._opened = bucket
        super().__init__(scheme)

    def _construct_store(self, bucket: str) -> ObjectStore:  # noqa: ARG002
        return self._opened


def of_bucket(scheme: str, bucket: ObjectStore) -> FsspecStore:
    """The filesystem of a bucket; its paths begin with the bucket's name."""
    return _OneBucket(scheme, bucket)
