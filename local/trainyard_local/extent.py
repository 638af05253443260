"""How much of a cluster is started: all of it, or the parts that tests and measurements need."""

from __future__ import annotations

from dataclasses import dataclass

WHOLE = "whole"
CONTROL_PLANE = "control-plane"
_SCHEDULER = "scheduler"
_AUDIT = "audit="


@dataclass(frozen=True)
class Extent:
    """What is started.

    Attributes:
        control_plane_only: leaves out all that runs pods.
        scheduler: places pods all the same, on nodes that somebody plays. A whole cluster has one.
        audit_user: whose requests the API server notes down; None: nobody's.
    """

    control_plane_only: bool = False
    scheduler: bool = False
    audit_user: str | None = None

    @property
    def mode(self) -> str:
        """The word for it in the status."""
        return CONTROL_PLANE if self.control_plane_only else WHOLE

    @property
    def schedules(self) -> bool:
        """Whether there is a scheduler."""
        return self.scheduler or not self.control_plane_only

    def covers(self, wanted: Extent) -> bool:
        """Returns whether a cluster of this extent is all that is wanted.

        >>> Extent().covers(Extent(control_plane_only=True, scheduler=True))
        True
        """
        return (
            (not self.control_plane_only or wanted.control_plane_only)
            and (self.schedules or not wanted.schedules)
            and wanted.audit_user in (None, self.audit_user)
        )

    def joined(self, other: Extent) -> Extent:
        """Returns the extent that covers both; whom it audits is this one's wish first."""
        return Extent(
            self.control_plane_only and other.control_plane_only,
            self.scheduler or other.scheduler,
            self.audit_user or other.audit_user,
        )

    def to_text(self) -> str:
        """Returns what is kept while the cluster runs, for `status` and the next `up`.

        >>> Extent(control_plane_only=True, scheduler=True).to_text()
        'control-plane scheduler'
        """
        words = [self.mode]
        if self.scheduler:
            words.append(_SCHEDULER)
        if self.audit_user is not None:
            words.append(_AUDIT + self.audit_user)
        return " ".join(words)

    @classmethod
    def from_text(cls, text: str) -> Extent:
        """Reads what `to_text` wrote."""
        mode, *extras = text.split()
        users = [word.removeprefix(_AUDIT) for word in extras if word.startswith(_AUDIT)]
        return cls(mode == CONTROL_PLANE, _SCHEDULER in extras, users[0] if users else None)
