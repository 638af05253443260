"""Who may write a store: the newest attempt of a stage, and no other.

A chief that was given up may live on, behind a network that is cut, and write beside its
successor. Each chief therefore leaves its attempt in a fence when it opens the store, and looks at
the fence before anything is put in place or deleted. It stops where it finds a later attempt there,
or a later process of its own attempt; where it finds an earlier one, whose chief has looked before
it wrote, it sets its own again. So two that open at once agree in the end, whichever wrote last.

What holds: on a disk and in a bucket alike, an attempt that looks after its successor's opening
writes and deletes nothing. What cannot be held: neither POSIX nor S3 makes "nobody came since I
looked" and "put this in place" one step, so a chief that is halted exactly between the two writes
once more when it goes on. What it puts in place is whole even then (a rename, or one object), and
whoever reads a model compares its sha256 with the announced one. The files of a folder in a bucket
have a name of their attempt's own, so two attempts never mix theirs.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from trainyard_trainer.errors import Superseded

_TOKEN_BYTES: Final = 4


@dataclass(frozen=True)
class Writer:
    """One process that writes a store: in two pods, the process ids may be the same.

    Attributes:
        stage: "train" or "compress"; the attempts of each are counted apart.
        attempt: of the stage.
        token: of this process alone.
    """

    stage: str
    attempt: int
    token: str = field(default_factory=lambda: secrets.token_hex(_TOKEN_BYTES))

    @property
    def mark(self) -> str:
        """What the names of its unfinished files have in them."""
        return f"{self.attempt}-{self.token}"

    @property
    def fence(self) -> str:
        """Name of the file in which its stage's newest writer stands."""
        return f".fence-{self.stage}"

    def outlives(self, mark: str) -> bool:
        """Whether something that carries `mark` is of an attempt that this one has replaced."""
        attempt, _, token = mark.partition("-")
        if not token or not attempt.isdigit():
            return True
        return int(attempt) < self.attempt or (int(attempt) == self.attempt and mark != self.mark)


@dataclass(frozen=True)
class Fence:
    """The fence of one writer.

    Attributes:
        writer: who looks.
        where: the store, for messages.
        read: the fence's content; None where there is none.
        write: puts a content in place as a whole.
    """

    writer: Writer
    where: str
    read: Callable[[], bytes | None]
    write: Callable[[bytes], None]

    def enter(self) -> None:
        """Take the store over from all earlier writers.

        Raises:
            Superseded: a later attempt has it.
            StoreUnavailable: the store refuses.
        """
        if (found := self._found()) is not None and found[0] > self.writer.attempt:
            raise self._superseded(found[0])
        self._put()

    def check(self) -> None:
        """Make sure that this is still the newest writer.

        Raises:
            Superseded: it is not.
            StoreUnavailable: the store refuses.
        """
        found = self._found()
        mine = (self.writer.attempt, self.writer.token)
        if found == mine:
            return
        if found is not None and found[0] >= self.writer.attempt:
            raise self._superseded(found[0])
        self._put()

    def _found(self) -> tuple[int, str] | None:
        content = self.read()
        try:
            document = json.loads(content or b"")
            return int(document["attempt"]), str(document["token"])
        except (ValueError, KeyError, TypeError):
            return None

    def _put(self) -> None:
        document = {"attempt": self.writer.attempt, "token": self.writer.token}
        self.write(json.dumps(document).encode())

    def _superseded(self, attempt: int) -> Superseded:
        return Superseded(
            f"{self.where}: attempt {attempt} of {self.writer.stage} writes there by now; this is "
            f"attempt {self.writer.attempt}, and it stops"
        )
