"""Whether the steps are compiled by XLA: tried where that can pay, and measured.

XLA fuses what TensorFlow runs operation by operation. Small dense networks gain half their speed
by that on processors, and convolutions lose most of theirs, so nothing but a measurement tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

WORTH_SECONDS: Final = 30.0
"""Of training that has to be left for a trial to pay: it costs a few of them where it fails."""
_TRIAL_SECONDS: Final = 0.3
_LEAST_STEPS: Final = 2
_GAIN: Final = 0.95
"""Share of the plain time that compiled steps may take at most."""


@dataclass(frozen=True)
class Way:
    """How a call is made.

    Attributes:
        compiled: whether its steps are.
        most: steps that it has at most; None: as many as the pace wants.
        tells: whether its time says how fast steps are made like this: a trial's does not tell
            the pace, nor does that of a call that builds the graph.
    """

    compiled: bool
    most: int | None = None
    tells: bool = True


@dataclass
class Compiling:
    """Decides for each call, by what those before it took.

    A call is planned while the one before runs, so that some are planned before what they would
    go by is known. Workers of a gang would have to agree, and what they reduce cannot be compiled
    for processors: a gang of several takes plain steps.

    Attributes:
        wanted: as the spec says.
        possible: whether steps can be compiled at all here.
        repeatable: whether compiled and plain steps learn the same, to rounding. Where they do
            not, nothing is tried: the same job would end otherwise by how fast it happened to be.
    """

    wanted: Literal["auto", "always", "never"]
    possible: bool
    repeatable: bool = True
    _plain: float | None = None
    _trial: int = 0
    """Calls of the trial that were planned: the first builds the graph, the second is measured."""
    _verdict: bool | None = None

    def __post_init__(self) -> None:
        if not self.possible or self.wanted == "never":
            self._verdict = False
        elif self.wanted == "always":
            self._verdict = True
        elif not self.repeatable:
            self._verdict = False

    def plan(self, steps_left: int) -> Way:
        """How the next call is made.

        Args:
            steps_left: of the whole training.
        """
        if self._verdict is not None:
            return Way(self._verdict)
        if self._plain is None or steps_left * self._plain < WORTH_SECONDS or self._trial == 2:
            return Way(compiled=False)
        self._trial += 1
        if self._trial == 1:
            return Way(compiled=True, most=1, tells=False)
        steps = max(_LEAST_STEPS, int(_TRIAL_SECONDS / self._plain))
        return Way(compiled=True, most=steps, tells=False)

    def measured(self, way: Way, steps: int, seconds: float, *, built: bool) -> bool | None:
        """Take note of a call.

        Args:
            built: whether it built its graph, so that its time says nothing.

        Returns:
            The verdict, where this call brings it.
        """
        if built or self._verdict is not None:
            return None
        if not way.compiled:
            each = seconds / steps
            self._plain = each if self._plain is None else min(self._plain, each)
            return None
        assert self._plain is not None, "a trial comes after plain steps"
        self._verdict = seconds / steps < _GAIN * self._plain
        return self._verdict

    def failed(self) -> None:
        """XLA cannot compile the steps: they are plain from now on."""
        self._verdict = False
