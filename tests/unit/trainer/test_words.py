from __future__ import annotations

import string

import keras
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_api.words import words_of
from trainyard_trainer.data.words import UNKNOWN, WordCounts, encode, lookup


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(alphabet=string.printable), min_size=1, max_size=20))
def test_ascii_text_has_the_words_that_keras_finds(texts: list[str]) -> None:
    layer = keras.layers.TextVectorization(output_mode="int")
    known = sorted({word for text in texts for word in words_of(text)} or {"none"})
    layer.set_vocabulary(known)
    codes = {word: place for place, word in enumerate(layer.get_vocabulary())}
    found = [[code for code in row if code] for row in np.asarray(layer(texts)).tolist()]
    assert found == [[codes[word] for word in words_of(text)] for text in texts]


def test_the_vocabulary_has_the_most_frequent_words_in_an_order_that_is_always_the_same() -> None:
    counts = WordCounts()
    counts.add(["the cat the dog", "a dog, a cat: the end"])
    assert counts.vocabulary(5) == (UNKNOWN, "the", "a", "cat", "dog")
    assert counts.vocabulary(100)[-1] == "end"


def test_counting_forgets_rare_words_and_keeps_frequent_ones() -> None:
    counts = WordCounts(largest=100)
    for number in range(2000):
        counts.add([f"often seldom{number // 4} rare{number}"])
        assert len(counts.vocabulary(10_000)) <= 101
    assert counts.vocabulary(2) == (UNKNOWN, "often")


def test_what_is_too_long_for_a_word_is_not_learned() -> None:
    counts = WordCounts()
    counts.add(["x" * 1000 + " short"])
    assert counts.vocabulary(10) == (UNKNOWN, "short")


def test_texts_become_the_numbers_of_their_first_words() -> None:
    codes = lookup((UNKNOWN, "the", "cat"))
    encoded = encode(["The cat!", "a cat sat on the mat", ""], codes, 4)
    assert encoded.dtype == np.float32
    assert encoded.tolist() == [[2, 3, 0, 0], [1, 3, 1, 1], [0, 0, 0, 0]]
