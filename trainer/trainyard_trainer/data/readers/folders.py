"""Files that lie in a folder for each class, these perhaps in a folder for each part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from trainyard_api.listing import listed
from trainyard_trainer.data.reading import Files
from trainyard_trainer.data.source import FIELD, PART_NAMES, PARTS, PartName
from trainyard_trainer.errors import InvalidData
from trainyard_trainer.store import Entry

_LISTED: Final = 5


@dataclass(frozen=True)
class Example:
    """A file, and the class in whose folder it lies."""

    entry: Entry
    label: str


@dataclass(frozen=True)
class Found:
    """What lies in the folders.

    Attributes:
        parts: the examples of each part that is there, sorted by name.
        notes: what was left out, a sentence each.
    """

    parts: Mapping[PartName, Sequence[Example]]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """Which files are looked for.

    Attributes:
        suffixes: of their names, in lower case.
        name: for people, in the plural.
        no_classes: folders that are known to hold what belongs to no class.
    """

    suffixes: frozenset[str]
    name: str
    no_classes: frozenset[str] = frozenset()

    def has(self, name: str) -> bool:
        """Whether a file is one of them, by its name."""
        return PurePosixPath(name).suffix.lower() in self.suffixes

    def recognise(self, entries: Sequence[Entry]) -> bool:
        """Whether most of these files are such in folders."""
        count = sum(1 for entry in entries if "/" in entry.name and self.has(entry.name))
        return 2 * count > len(entries)


def look(files: Files, kind: Kind) -> Found:
    """The examples of all folders.

    Raises:
        InvalidData: there are none, or all in one folder that has others in it.
    """
    parted = _are_parts({_first(entry) for entry in files.entries if "/" in entry.name})
    parts: dict[PartName, list[Example]] = {}
    foreign: list[str] = []
    unplaced: list[str] = []
    for entry in files.entries:
        *folders, name = entry.name.split("/")
        if not kind.has(name):
            foreign.append(entry.name)
            continue
        part = _part(folders, parted)
        if part is None or not folders or folders[0] in kind.no_classes:
            unplaced.append(entry.name)
            continue
        parts.setdefault(part, []).append(Example(entry, folders[0]))
    _check(files, kind, parts)
    notes = [*_left_out(foreign, f"no {kind.name}"), *_left_out(unplaced, "in no class's folder")]
    notes += _empty_folders(files, kind, parts, parted)
    return Found({part: parts[part] for part in PARTS if part in parts}, tuple(notes))


def _first(entry: Entry) -> str:
    return entry.name.partition("/")[0]


def _are_parts(folders: set[str]) -> bool:
    """Whether folders are parts, and not classes."""
    return any(PART_NAMES.get(folder.lower()) == "train" for folder in folders)


def _part(folders: list[str], parted: bool) -> PartName | None:
    """The part of a file; its folder, where it has one, is taken off."""
    if not parted:
        return "train"
    return PART_NAMES.get(folders.pop(0).lower()) if folders else None


def _check(files: Files, kind: Kind, parts: Mapping[PartName, Sequence[Example]]) -> None:
    where = files.location.uri
    if "train" not in parts:
        raise InvalidData(
            f"{FIELD}: {where} has no {kind.name} in folders; put them into a folder for each "
            "class, or those into train, validation and test"
        )
    classes = {example.label for examples in parts.values() for example in examples}
    deeper = all(
        example.entry.name.count("/") > 1 for examples in parts.values() for example in examples
    )
    if len(classes) == 1 and set(parts) == {"train"} and deeper:
        (folder,) = classes
        raise InvalidData(
            f"{FIELD}: {where} has one folder alone, {folder}; if the classes are in it, name it: "
            f"{where.rstrip('/')}/{folder}"
        )


def _left_out(names: list[str], why: str) -> Iterator[str]:
    if names:
        verb = "file is" if len(names) == 1 else "files are"
        yield f"{len(names)} {verb} {why} and left out: {listed(names, _LISTED)}"


def _empty_folders(
    files: Files, kind: Kind, parts: Mapping[PartName, Sequence[Example]], parted: bool
) -> Iterator[str]:
    """A sentence where a class's folder has nothing in it; buckets have no such folders."""
    root = files.location.local
    if root is None:
        return
    bases = [each for each in _folders(root) if each.name.lower() in PART_NAMES] if parted else []
    for base in bases or [root]:
        part = PART_NAMES[base.name.lower()] if parted else "train"
        full = {example.label for example in parts.get(part, ())}
        empty = [
            str(folder.relative_to(root))
            for folder in _folders(base)
            if folder.name not in full | kind.no_classes
        ]
        if empty:
            yield f"folders without {kind.name}: {', '.join(empty[:_LISTED])}"


def _folders(folder: Path) -> list[Path]:
    return sorted(
        each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")
    )
