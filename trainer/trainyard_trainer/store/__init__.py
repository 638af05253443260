"""Where a run's parts and its data lie: on disks, in buckets, on the web."""

from trainyard_trainer.store.artifact import Store, verify
from trainyard_trainer.store.location import Entry, Location
from trainyard_trainer.store.publish import publish
from trainyard_trainer.store.refusals import DATA, STORE, Role, guarded

__all__ = ["DATA", "STORE", "Entry", "Location", "Role", "Store", "guarded", "publish", "verify"]
