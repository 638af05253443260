"""What is known of the objects of one kind: by the watch, and by our own writes.

A decision that is made from a watch alone is made from the past: what we have just created is
not there yet, so it is created again; what we have just deleted is still there, so it is waited
for. So what the API server answers to our writes is entered at once, and whatever the watch says
later of a time before them is ignored. It is the other way round for an answer that comes late:
what the watch has told already, it has told completely.

Order is that of resourceVersions, which are numbers. Of a server whose resourceVersions are none,
everything is believed in the order in which it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from sys import intern
from typing import Any, Generic, NamedTuple, TypeVar

from trainyard_api.names import LABEL_JOB
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.answers import WatchEvent
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.versions import UNKNOWN, is_before, number_of

log = logging.getLogger(__name__)

V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    version: int
    uid: str
    owner: str
    key: Key
    view: V


class _Grave(NamedTuple):
    """What we have deleted, and the version that it is known to have had."""

    uid: str
    version: int


class Store(Generic[V]):
    """The objects of one kind, each as the little that decisions need of it."""

    def __init__(self, view: Callable[[Manifest], V | None]) -> None:
        """Args:
        view: what is kept of an object; None: it is not ours.
        """
        self._view = view
        self._objects: dict[str, dict[str, _Entry[V]]] = {}
        """By namespace and name."""
        self._jobs: dict[Key, dict[str, _Entry[V]]] = {}
        """By job and name: the same entries."""
        self._graves: dict[tuple[str, str], _Grave] = {}
        """By namespace and name: what we have deleted and the watch may still speak of."""
        self._seen = UNKNOWN
        """The version up to which the watch has told everything."""

    def __len__(self) -> int:
        return sum(len(objects) for objects in self._objects.values())

    def keys(self) -> set[Key]:
        """The jobs that have objects."""
        return set(self._jobs)

    def of(self, key: Key, owner: str = "") -> list[V]:
        """The objects of a job.

        Args:
            key: of the job.
            owner: uid of a controller: only objects that it owns.
        """
        entries = self._jobs.get(key, {}).values()
        return [entry.view for entry in entries if not owner or entry.owner == owner]

    def uid(self, namespace: str, name: str) -> str:
        """Of an object; empty where it is not known."""
        entry = self._find(namespace, name)
        return entry.uid if entry is not None else ""

    def happened(self, event: WatchEvent) -> Key | None:
        """What the watch says.

        Returns:
            The job whose objects are no longer as they were known; None where nothing is new.
            Of an object that has gone from one job to another, the one that it has left.
        """
        touched = None
        if event.type == "DELETED":
            touched = self._leave(event.object)
        elif event.type != "BOOKMARK":
            touched = self._enter(event.object)
        self._seen = max(self._seen, _version(event.object))
        return touched

    def listed(self, items: Iterable[Manifest], resource_version: str) -> set[Key]:
        """All objects that there are at a moment; the jobs for which that is news."""
        uids: set[str] = set()
        touched = self.page(items, uids)
        return touched | self.complete(uids, resource_version)

    def page(self, items: Iterable[Manifest], uids: set[str]) -> set[Key]:
        """Some of the objects of a list.

        Args:
            items: the objects.
            uids: of the list; those of the objects are added.

        Returns:
            The jobs for which they are news.
        """
        touched = set()
        for item in items:
            uids.add(item["metadata"]["uid"])
            if (key := self._enter(item)) is not None:
                touched.add(key)
        return touched

    def complete(self, uids: set[str], resource_version: str) -> set[Key]:
        """A list has been read: what it lacks is gone, unless it was written after it.

        Args:
            uids: of all objects of the list.
            resource_version: of the list.

        Returns:
            The jobs that have lost objects.
        """
        moment = number_of(resource_version)
        gone = [
            (namespace, name)
            for namespace, objects in self._objects.items()
            for name, entry in objects.items()
            if entry.uid not in uids and not is_before(moment, entry.version)
        ]
        self._graves = {
            place: grave
            for place, grave in self._graves.items()
            if grave.uid in uids or is_before(moment, grave.version)
        }
        self._seen = max(self._seen, moment)
        return {self._drop(namespace, name) for namespace, name in gone}

    def written(self, manifest: Manifest) -> None:
        """An object as the API server has it after our write."""
        version = _version(manifest)
        if version == UNKNOWN or version > self._seen:
            self._enter(manifest)

    def deleted(self, namespace: str, name: str, uid: str, answer: Manifest | None) -> None:
        """We have deleted an object.

        Args:
            namespace: of the object.
            name: of the object.
            uid: of the object.
            answer: the API server's; the object with a deletionTimestamp while something holds
                it, something else or nothing where it is gone. The loser of two deletions at
                once is given the object too, without a resourceVersion: it is gone.
        """
        metadata = (answer or {}).get("metadata") or {}
        entry = self._find(namespace, name)
        if entry is None or entry.uid != uid:
            return
        if answer is not None and {"deletionTimestamp", "resourceVersion"} <= metadata.keys():
            self.written(answer)
            return
        version = max(entry.version, number_of(metadata.get("resourceVersion", "")))
        self._graves[namespace, name] = _Grave(uid, version)
        self._drop(namespace, name)

    def _enter(self, manifest: Manifest) -> Key | None:
        """An object as it was at a time; the job for which that is news."""
        metadata = manifest["metadata"]
        namespace, name, uid = metadata["namespace"], metadata["name"], metadata["uid"]
        version, old = _version(manifest), self._find(namespace, name)
        if old is not None and UNKNOWN < version <= old.version:
            return None
        grave = self._graves.get((namespace, name))
        if grave is not None and (uid == grave.uid or is_before(version, grave.version)):
            return None
        job = (metadata.get("labels") or {}).get(LABEL_JOB)
        view = self._read(manifest) if job else None
        if job is None or view is None:
            return self._drop(namespace, name) if old is not None else None
        entry = _Entry(version, uid, _controller(metadata), self._key(namespace, job), view)
        if old is not None and (old.uid, old.owner, old.key) == (uid, entry.owner, entry.key):
            old.version = version
            if old.view == view:
                return None
            old.view = view
            return old.key
        left = self._drop(namespace, name) if old is not None else entry.key
        self._objects.setdefault(entry.key.namespace, {})[name] = entry
        self._jobs.setdefault(entry.key, {})[name] = entry
        return left

    def _leave(self, manifest: Manifest) -> Key | None:
        """An object is gone; the job that had it, or that has to know since we deleted it."""
        metadata = manifest["metadata"]
        namespace, name, uid = metadata["namespace"], metadata["name"], metadata["uid"]
        grave = self._graves.get((namespace, name))
        if buried := grave is not None and grave.uid == uid:
            del self._graves[namespace, name]
        entry = self._find(namespace, name)
        if entry is not None and entry.uid == uid:
            older = is_before(_version(manifest), entry.version)
            return None if older else self._drop(namespace, name)
        job = (metadata.get("labels") or {}).get(LABEL_JOB)
        return self._key(namespace, job) if buried and job else None

    def _read(self, manifest: Manifest) -> V | None:
        """What is kept of an object. One that cannot be read is not ours, whatever its label
        says: anybody may label a pod."""
        try:
            return self._view(manifest)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            metadata = manifest["metadata"]
            job = Key(metadata["namespace"], metadata["labels"][LABEL_JOB])
            message = "%s is not as the operator makes it, and is ignored: %r"
            log.warning(message, metadata["name"], error, extra={"job": str(job)})
            return None

    def _find(self, namespace: str, name: str) -> _Entry[V] | None:
        return self._objects.get(namespace, {}).get(name)

    def _drop(self, namespace: str, name: str) -> Key:
        """Remove an entry; its job."""
        objects = self._objects[namespace]
        entry = objects.pop(name)
        if not objects:
            del self._objects[namespace]
        siblings = self._jobs[entry.key]
        del siblings[name]
        if not siblings:
            del self._jobs[entry.key]
        return entry.key

    def _key(self, namespace: str, job: str) -> Key:
        """The one Key of a job that all its entries share."""
        key = Key(intern(namespace), job)
        siblings = self._jobs.get(key)
        return next(iter(siblings.values())).key if siblings else key


def _version(manifest: Manifest) -> int:
    return number_of(manifest["metadata"].get("resourceVersion", ""))


def _controller(metadata: dict[str, Any]) -> str:
    """Uid of the controller that owns an object; empty where there is none."""
    for owner in metadata.get("ownerReferences") or []:
        if owner.get("controller"):
            return intern(owner["uid"])
    return ""
