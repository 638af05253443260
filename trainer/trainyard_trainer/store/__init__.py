"""Where a run's parts and its data lie: on disks, in buckets, on the web."""

from trainyard_trainer.store.artifact import Folder, Part, Store, verify
from trainyard_trainer.store.entries import Entry
from trainyard_trainer.store.location import Location
from trainyard_trainer.store.refusals import DATA, STORE, Role, guarded

__all__ = [
    "DATA",
    "STORE",
    "Entry",
    "Folder",
    "Location",
    "Part",
    "Role",
    "Store",
    "guarded",
    "verify",
]
