"""Entries of a vocabulary by their texts, inside a graph, without anything to set up.

Entries lie in the order of their hashes. A text is searched for by its hash and compared with the
entry that is there, so that no unknown text passes for a known one.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Final

import numpy as np
import tensorflow as tf

_HASHES: Final = 2**63 - 1


class Vocabulary:
    """Finds texts in a vocabulary."""

    def __init__(self, codes: Mapping[str, int], unknown: int) -> None:
        """Args:
        codes: of the entries.
        unknown: what stands for any other text.
        """
        self._unknown = float(unknown)
        entries = np.array([entry.encode() for entry in codes], np.object_)
        for key in count():
            self._key = (key, 0)
            hashes = self._hashed(tf.constant(entries, tf.string)).numpy()
            # No two of them have one hash; where two had, others are taken.
            if len(np.unique(hashes)) == len(entries):
                break
        order = np.argsort(hashes)
        self._hashes, self._entries = hashes[order], entries[order]
        self._codes = np.fromiter(codes.values(), np.float32, len(codes))[order]

    def codes(self, texts: Any) -> Any:
        """Inside a graph: the code of each text, float32 (texts,)."""
        if not len(self._entries):
            return tf.fill(tf.shape(texts), self._unknown)
        places = tf.searchsorted(tf.constant(self._hashes), self._hashed(texts))
        places = tf.minimum(places, len(self._entries) - 1)
        known = tf.gather(tf.constant(self._entries, tf.string), places) == texts
        return tf.where(known, tf.gather(tf.constant(self._codes), places), self._unknown)

    def _hashed(self, texts: Any) -> Any:
        return tf.strings.to_hash_bucket_strong(texts, _HASHES, list(self._key))
