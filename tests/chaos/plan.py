"""What goes wrong in a run, and when: all of it follows from a seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.chaos.weather import WEATHERS

KILL_OPERATOR: Final = "kill the operator"
STOP_OPERATOR: Final = "stop the operator for a while"
KILL_SERVER: Final = "kill kube-apiserver"
KILL_STORE: Final = "kill etcd"
TROUBLES: Final = (*WEATHERS, KILL_OPERATOR, STOP_OPERATOR, KILL_SERVER, KILL_STORE)
_BLOWS = (KILL_OPERATOR, KILL_SERVER, KILL_OPERATOR, STOP_OPERATOR, KILL_STORE, KILL_OPERATOR)
_LONGEST_STOP = 14.0
"""Longer than a Lease is valid."""


@dataclass(frozen=True)
class Trouble:
    """Something that goes wrong."""

    at: float
    """Seconds after the beginning."""
    what: str
    """A weather, or a blow to a process."""
    whom: tuple[int, ...]
    """Which operators it befalls."""
    seconds: float
    """Until it is over, or until who was killed is started again."""


def make_plan(
    dice: random.Random, seconds: float, operators: int, only: Collection[str] = TROUBLES
) -> list[Trouble]:
    """All that goes wrong within so many seconds, in the order of time.

    Weather and blows follow each other in two rows, and meet as it comes.
    """
    weathers = tuple(name for name in WEATHERS if name in only)
    blows = tuple(name for name in _BLOWS if name in only)
    rows = (_weathers(dice, seconds, operators, weathers), _blows(dice, seconds, operators, blows))
    return sorted(itertools.chain(*rows), key=lambda trouble: trouble.at)


def _weathers(
    dice: random.Random, seconds: float, operators: int, names: Sequence[str]
) -> Iterator[Trouble]:
    at = dice.uniform(0.5, 2.0)
    for name in _in_turn(dice, names):
        lasts = dice.uniform(2.0, 5.0) if dice.random() < 0.8 else dice.uniform(8.0, 14.0)
        if at + lasts > seconds:
            return
        everybody = tuple(range(operators))
        whom = everybody if dice.random() < 0.6 else (dice.randrange(operators),)
        yield Trouble(at, name, whom, lasts)
        at += lasts + dice.uniform(0.5, 4.0)


def _blows(
    dice: random.Random, seconds: float, operators: int, names: Sequence[str]
) -> Iterator[Trouble]:
    at = dice.uniform(1.0, 4.0)
    for what in _in_turn(dice, names):
        lasts = dice.uniform(0.0, 2.0)
        if what == STOP_OPERATOR:
            lasts = dice.uniform(2.0, _LONGEST_STOP)
        if at + lasts > seconds:
            return
        yield Trouble(at, what, (dice.randrange(operators),), lasts)
        at += lasts + dice.uniform(2.0, 6.0)


def _in_turn(dice: random.Random, names: Sequence[str]) -> Iterator[str]:
    """All of them before any comes again, in an order of its own each time."""
    while names:
        yield from dice.sample(names, len(names))
