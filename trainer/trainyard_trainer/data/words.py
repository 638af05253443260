"""The words of a data set's texts, and texts as the numbers of their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from trainyard_api.words import words_of

UNKNOWN: Final = "[UNK]"
"""Entry 0 of every vocabulary: stands for all words that it does not have."""

_LARGEST_COUNT: Final = 400_000
"""Different words that are counted at once: some 50 MB."""
_LONGEST: Final = 64
"""Characters: what is longer (an encoded file, a line without white space) is no word to learn."""


class WordCounts:
    """Counts words in bounded memory.

    A language has more words than are worth counting: every misspelling is one. Where there are
    too many, the rarest are forgotten; a word that comes again and again is counted again. The
    same texts in the same order give the same counts.
    """

    def __init__(self, largest: int = _LARGEST_COUNT) -> None:
        """Args:
        largest: how many different words are counted at once.
        """
        self._largest = largest
        self._counts: Counter[str] = Counter()

    def add(self, texts: Iterable[str]) -> None:
        """Count the words of these texts."""
        for text in texts:
            self._counts.update(word for word in words_of(text) if len(word) <= _LONGEST)
            if len(self._counts) > self._largest:
                self._forget()

    def vocabulary(self, size: int) -> tuple[str, ...]:
        """The most frequent words, `UNKNOWN` before them; among equals the first by alphabet.

        Args:
            size: entries at most, that of `UNKNOWN` among them.
        """
        ordered = sorted(self._counts.items(), key=lambda item: (-item[1], item[0]))
        return (UNKNOWN, *(word for word, _ in ordered[: size - 1]))

    def _forget(self) -> None:
        """Forget all words as rare as the median, so that half of the room is free again."""
        counts = np.fromiter(self._counts.values(), np.int64, len(self._counts))
        rare = int(np.partition(counts, len(counts) // 2)[len(counts) // 2])
        self._counts = Counter({w: count for w, count in self._counts.items() if count > rare})


def lookup(vocabulary: Sequence[str]) -> dict[str, int]:
    """For each word of a vocabulary the number that it is encoded as: its index + 1."""
    return {word: place + 1 for place, word in enumerate(vocabulary)}


def encode(texts: Sequence[str], codes: Mapping[str, int], length: int) -> NDArray[np.float32]:
    """Texts as the numbers of their first words.

    Args:
        codes: of the words, see `lookup`.
        length: words that are kept of a text; a shorter one is filled up with 0.

    Returns:
        Shape (texts, length).
    """
    unknown = codes[UNKNOWN]
    encoded = np.zeros((len(texts), length), np.float32)
    for row, text in enumerate(texts):
        numbers = [codes.get(word, unknown) for word in words_of(text)[:length]]
        encoded[row, : len(numbers)] = numbers
    return encoded
