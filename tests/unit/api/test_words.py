from __future__ import annotations

import pytest

from trainyard_api.words import words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't panic: it's well-known!", ["dont", "panic", "its", "wellknown"]),
        ("  two\tkinds\r\nof   space ", ["two", "kinds", "of", "space"]),
        ("ÜBER Straße ΑΘΗΝΑ", ["über", "straße", "αθηνα"]),
        ("Don’t", ["dont"]),
        ("“yes”—no…", ["yes", "no"]),
        ("東京、大阪。", ["東京", "大阪"]),
        ("5 € 👍", ["5", "€", "👍"]),
        ("no\u00a0break", ["no", "break"]),
        ("hy\u00adphen", ["hyphen"]),
        ("?!", []),
        ("", []),
    ],
)
def test_a_text_has_these_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


def test_an_accent_typed_apart_makes_the_same_word() -> None:
    assert words_of("cafe\u0301") == words_of("caf\u00e9") == ["caf\u00e9"]


def test_a_capital_whose_accent_stands_alone_makes_the_same_word_as_the_small_letter() -> None:
    assert words_of("H\u0331") == words_of("h\u0331") == words_of("\u1e96") == ["\u1e96"]
    assert words_of("\u03aa\u0301") == ["\u0390"]


def test_ascii_among_other_letters_is_divided_as_it_is_alone() -> None:
    text = "Don't: well-known (a.b) C++ x_y"
    assert words_of(text + " é") == [*words_of(text), "é"]
