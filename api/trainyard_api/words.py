"""A text's words: the same where a model learns and where it is served.

ASCII text is divided as the defaults of Keras' TextVectorization divide it: lower case, then
punctuation is taken out ("don't" is dont, "well-known" is wellknown), then what stands between
white space is a word. Keras leaves all else as it is: the capitals of other alphabets, the
typographer's quotation marks and dashes. Here

- words are in the composed normal form (NFC), and text is brought into it first: a letter and its
  accent are one character, however they were typed;
- every alphabet has lower case;
- ’ ‘ ʼ and the soft hyphen are taken out, as ' and - are;
- all other punctuation divides, as white space does: “yes”—no is two words;
- symbols (€, emoji) are parts of words, as letters are.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_TAKEN_OUT: Final = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
"""Of ASCII: what TextVectorization takes out."""
_TAKEN_OUT_BEYOND: Final = "’‘ʼ\u00ad\ufeff"
_ASCII: Final = str.maketrans("", "", _TAKEN_OUT)


class _Beyond(dict[int, str | None]):
    """For `str.translate`: what becomes of each character; found out when it is first met."""

    def __missing__(self, code: int) -> str | None:
        character = chr(code)
        becomes: str | None = character
        if character in _TAKEN_OUT or character in _TAKEN_OUT_BEYOND:
            becomes = None
        elif code > 127 and unicodedata.category(character).startswith("P"):
            becomes = " "
        self[code] = becomes
        return becomes


_BEYOND: Final = _Beyond()


def words_of(text: str) -> list[str]:
    """The words of a text, in their order.

    Example:
        >>> words_of("Don't panic, it's well-known!")
        ['dont', 'panic', 'its', 'wellknown']
        >>> words_of("“Straße”—ÉTÉ")
        ['straße', 'été']
    """
    if text.isascii():
        return text.lower().translate(_ASCII).split()
    divided = unicodedata.normalize("NFC", text).lower().translate(_BEYOND)
    # Small letters have composed forms that capitals lack: H̱ is two characters, ẖ is one.
    return unicodedata.normalize("NFC", divided).split()
