"""Inside a graph texts have the words that `words_of` finds, whatever they are written in."""

from __future__ import annotations

import string
import unicodedata

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from trainyard_api.words import words_of
from trainyard_trainer.export.raw.characters import decomposed
from trainyard_trainer.export.raw.words import Words

CHARACTERS = [
    chr(code)
    for code in range(0x110000)
    if unicodedata.category(chr(code)) not in ("Cs", "Co", "Cn")
]
ACCENTS = [each for each in CHARACTERS if unicodedata.combining(each)]
ODD = st.one_of(
    st.sampled_from(ACCENTS),
    st.sampled_from("ΣσςAaİIiıßẞ=<>\u0338 \t\u0345’-—\x00\u1100\u1161\u11a8각"),
    st.characters(codec="utf-8"),
)


@pytest.fixture(scope="module")
def words() -> Words:
    return Words()


def found(words: Words, texts: list[str]) -> list[list[str]]:
    return [[word.decode() for word in row] for row in words.of(tf.constant(texts)).to_list()]


def wanted(texts: list[str]) -> list[list[str]]:
    return [[decomposed(word) for word in words_of(text)] for text in texts]


@pytest.mark.parametrize(
    "pattern",
    ["{0}", "a{0}a", "A{0}Σ", "AΣ{0}A", "{0}Σ{0}", "\u0301{0}-\u0323", "={0}\u0338a"],
)
def test_every_character_of_unicode_does_what_it_does_in_training(
    words: Words, pattern: str
) -> None:
    texts = [pattern.format(each) for each in CHARACTERS]
    assert found(words, texts) == wanted(texts)


@given(texts=st.lists(st.text(ODD, max_size=12), min_size=1, max_size=20))
@settings(max_examples=150, deadline=None)
def test_texts_of_odd_characters_have_the_same_words(words: Words, texts: list[str]) -> None:
    assert found(words, texts) == wanted(texts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic, it's well-known!", ["dont", "panic", "its", "wellknown"]),
        ("“Straße”—ÉTÉ", ["straße", "été"]),
        ("ΟΔΥΣΣΕΥΣ, ΣΑΣ-Σ Σ.", ["οδυσσευς", "σαςσ", "σ"]),
        ("a≠b a=b a=\u0338b", ["a≠b", "ab", "a≠b"]),
        ("한국어 한국어", ["한국어", "한국어"]),
        (string.punctuation, []),
        ("", []),
    ],
)
def test_a_text_has_these_words(words: Words, text: str, expected: list[str]) -> None:
    assert words_of(text) == expected
    assert found(words, [text, ""]) == [[decomposed(word) for word in expected], []]


def test_texts_of_a_batch_do_not_touch_each_other(words: Words) -> None:
    texts = ["ΑΣ", "Α", "=", "\u0338", "a", "\u0301", "", "Σ"]
    assert found(words, texts) == wanted(texts)


def test_a_batch_may_be_empty(words: Words) -> None:
    assert words.of(tf.constant([], tf.string)).to_list() == []
