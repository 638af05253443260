"""What `trainyard_api.words` does to each character, as tables that a graph can hold.

TensorFlow has other tables than Python: lower case of another version of Unicode, and no normal
forms. So Python is asked, and `words_of` itself, by the process that has found the vocabulary.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.words import words_of

SIGMA: Final = ord("Σ")
"""The one letter whose lower case depends on what stands beside it."""
MOST_PIECES: Final = 4
"""Characters that one decomposes into, at most."""

_SURROGATES: Final = range(0xD800, 0xE000)
_UNASSIGNED: Final = ("Cn", "Co")
_HANGUL: Final = range(0xAC00, 0xAC00 + 11_172)
"""Syllables, which are decomposed by arithmetic."""


@dataclass(frozen=True)
class Traits:
    """How a character, decomposed and in lower case, behaves in a text.

    Attributes:
        combining: its canonical combining class: accents of one letter are in this order.
        cased: Σ beside it is inside a word.
        ignorable: what is behind it decides that.
        taken_out: it is no part of any word, and divides none.
        divides: it ends a word.
    """

    combining: int = 0
    cased: bool = False
    ignorable: bool = False
    taken_out: bool = False
    divides: bool = False


@dataclass(frozen=True)
class Characters:
    """Tables of all characters.

    Attributes:
        changed: those that become others, Hangul and Σ apart: int32, ascending.
        becomes: what becomes of each, int32 (changed, MOST_PIECES), with -1 behind.
        starts: where runs of characters of the same traits begin: int32, ascending from 0.
        traits: of each run.
    """

    changed: NDArray[np.int32]
    becomes: NDArray[np.int32]
    starts: NDArray[np.int32]
    traits: tuple[Traits, ...]


@cache
def characters() -> Characters:
    """The tables; found out in about a second, once in a process."""
    assigned = [
        code
        for code in range(sys.maxunicode + 1)
        if code not in _SURROGATES and unicodedata.category(chr(code)) not in _UNASSIGNED
    ]
    lower = {code: decomposed(chr(code)).lower() for code in assigned if code not in _HANGUL}
    changed = [code for code, to in lower.items() if to != chr(code) and code != SIGMA]
    becomes = np.full((len(changed), MOST_PIECES), -1, np.int32)
    for row, code in enumerate(changed):
        becomes[row, : len(lower[code])] = [ord(each) for each in lower[code]]
    runs = {0: Traits()}
    for before, code in pairwise([-1, *assigned, sys.maxunicode + 1]):
        latest = next(reversed(runs.values()))
        if before + 1 < code and latest != Traits():
            runs[before + 1] = latest = Traits()
        if code <= sys.maxunicode and (found := _traits(chr(code))) != latest:
            runs[code] = found
    starts = np.fromiter(runs, np.int32, len(runs))
    return Characters(np.array(changed, np.int32), becomes, starts, tuple(runs.values()))


def decomposed(text: str) -> str:
    """A text in the decomposed normal form (NFD): each accent is a character of its own."""
    return unicodedata.normalize("NFD", text)


def _traits(character: str) -> Traits:
    between = words_of(f"a{character}a")
    # A Σ that ends a word, after a letter, is ς; see "Final_Sigma" in Unicode's SpecialCasing.
    cased = f"{character}Σ".lower().endswith("ς")
    return Traits(
        combining=unicodedata.combining(character),
        cased=cased,
        ignorable=not cased and f"a{character}Σ".lower().endswith("ς"),
        taken_out=between == ["aa"],
        divides=between == ["a", "a"],
    )
