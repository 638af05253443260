"""Any history of a server, told by lists and watches and by the answers to our own writes.

The answers come early or late; lists are of a moment that may be long past when they arrive.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import WatchEvent
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.store import Store

KEY = Key("default", "fashion")
View = tuple[str, str, int, bool]
"""Name, uid, version, whether it is being deleted."""
GONE = {"kind": "Status", "status": "Success"}


def view(manifest: Manifest) -> View:
    metadata = manifest["metadata"]
    version, deleting = int(metadata["resourceVersion"]), "deletionTimestamp" in metadata
    return metadata["name"], metadata["uid"], version, deleting


@dataclass
class Server:
    """An API server: objects by name, and all events."""

    version: int = 1
    objects: dict[str, Manifest] = field(default_factory=dict)
    events: list[tuple[int, WatchEvent]] = field(default_factory=list)

    def write(self, kind: str, name: str, **metadata: str) -> Manifest:
        """Create, change or remove an object; how it is afterwards."""
        self.version += 1
        before = self.objects.get(name, {"metadata": {"uid": f"uid-{self.version}"}})["metadata"]
        labels = {"trainyard.dev/job": "fashion"}
        own = {"name": name, "namespace": "default", "labels": labels}
        new = {"metadata": {**before, **own, **metadata, "resourceVersion": str(self.version)}}
        if kind == "DELETED":
            del self.objects[name]
        else:
            self.objects[name] = new
        self.events.append((self.version, WatchEvent(kind, new)))
        return copy.deepcopy(new)

    def delete(self, name: str, *, held: bool) -> Manifest:
        """Delete an object; the answer."""
        if held:
            return self.write("MODIFIED", name, deletionTimestamp="2026-01-01T00:00:00Z")
        self.write("DELETED", name)
        return GONE


class Told:
    """A store, how it is told of a server, and what it must know by that."""

    def __init__(self) -> None:
        self.server = Server()
        self.store: Store[View] = Store(view)
        self.answers: list[tuple[str, str, str, Manifest | None]] = []
        """Of our own writes that have not come back: DELETE or PUT, name, uid, and answer."""
        self.position: int | None = None
        """Version up to which the watch has told; None: nothing is listed."""
        self.list: tuple[int, list[Manifest], set[str]] | None = None
        """Version, remaining items and uids of a list that is under way."""
        self.known: dict[str, View] = {}
        """The newest that has been told, by name."""
        self.dead: set[str] = set()
        """Uids of which the end has been told."""

    def write(self, name: str, own: bool) -> None:
        known = self.server.objects.get(name)
        new = self.server.write("ADDED" if known is None else "MODIFIED", name)
        if own:
            self.answers.append(("PUT", name, new["metadata"]["uid"], new))

    def delete(self, name: str, held: bool) -> None:
        if name in self.server.objects:
            self.server.delete(name, held=held)

    def delete_what_is_known(self, index: int, held: bool) -> None:
        """Delete, by its uid, something that the store shows."""
        if not (shown := self.store.of(KEY)):
            return
        name, uid, _, _ = shown[index % len(shown)]
        existing = self.server.objects.get(name)
        if existing is None:
            # Of two deletions at once, the loser is told how the object was before.
            lost = {"uid": uid, "name": name, "deletionTimestamp": "2026-01-01T00:00:00Z"}
            self.answers.append(("DELETE", name, uid, {"metadata": lost} if held else None))
        elif existing["metadata"]["uid"] == uid:
            self.answers.append(("DELETE", name, uid, self.server.delete(name, held=held)))

    def answer(self, index: int) -> None:
        """One of our writes comes back."""
        if not self.answers:
            return
        method, name, uid, answer = self.answers.pop(index % len(self.answers))
        if answer is None or "resourceVersion" not in answer.get("metadata", {}):
            self.dead.add(uid)
        else:
            self.learn(answer)
        if method == "DELETE":
            self.store.deleted("default", name, uid, answer)
        elif answer is not None:
            self.store.written(answer)

    def watch(self) -> None:
        """The watch tells one event, or that there is none."""
        if self.position is None or self.list is not None:
            return
        ahead = [event for version, event in self.server.events if version > self.position]
        version = str(self.server.version)
        event = ahead[0] if ahead else WatchEvent("BOOKMARK", {"metadata": {}})
        if not ahead:
            event.object["metadata"]["resourceVersion"] = version
        self.position = int(event.object["metadata"]["resourceVersion"])
        if event.type == "DELETED":
            self.dead.add(event.object["metadata"]["uid"])
        elif ahead:
            self.learn(event.object)
        self.store.happened(event)

    def begin_list(self) -> None:
        items = copy.deepcopy(list(self.server.objects.values()))
        self.list = (self.server.version, items, set())

    def page(self) -> None:
        """The next two objects of the list arrive, or its end."""
        if self.list is None:
            return
        version, items, uids = self.list
        for item in items[:2]:
            self.learn(item)
        if items:
            self.store.page(items[:2], uids)
            del items[:2]
            return
        self.dead |= {
            event.object["metadata"]["uid"]
            for ended, event in self.server.events
            if event.type == "DELETED" and ended <= version
        }
        self.store.complete(uids, str(version))
        self.position, self.list = version, None

    def learn(self, manifest: Manifest) -> None:
        new = view(manifest)
        old = self.known.get(new[0])
        if old is None or old[2] < new[2]:
            self.known[new[0]] = new

    def check(self) -> None:
        """All that has been told is known, nothing older, and nothing whose end was told."""
        expected = {known for known in self.known.values() if known[1] not in self.dead}
        assert set(self.store.of(KEY)) == expected

    def settle(self) -> None:
        """Everything arrives."""
        while self.answers:
            self.answer(0)
            self.check()
        if self.position is None and self.list is None:
            self.begin_list()
        while self.list is not None:
            self.page()
            self.check()
        while self.position != self.server.version:
            self.watch()
            self.check()


names = st.sampled_from("abc")
steps = st.one_of(
    st.tuples(st.just("write"), names, st.booleans()),
    st.tuples(st.just("delete"), names, st.booleans()),
    st.tuples(st.just("delete_what_is_known"), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("answer"), st.integers(0, 3)),
    st.tuples(st.just("watch")),
    st.tuples(st.just("watch")),
    st.tuples(st.just("begin_list")),
    st.tuples(st.just("page")),
    st.tuples(st.just("page")),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(steps, max_size=40))
def test_the_store_ends_as_the_server_and_never_shows_the_dead(
    history: list[tuple[Any, ...]],
) -> None:
    told = Told()
    for what, *arguments in history:
        getattr(told, what)(*arguments)
        told.check()
    told.settle()
    assert set(told.store.of(KEY)) == {view(item) for item in told.server.objects.values()}
    assert not told.store._graves, "the dead are forgotten when everything has been told"
