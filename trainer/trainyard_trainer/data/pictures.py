"""Encoded pictures to pixels: JPEG, PNG, GIF (the first frame), BMP and WebP."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from typing import IO, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from trainyard_api.spec.data import ImagePreprocessing, Resize

LARGEST_SIDE: Final = 224
"""That pictures of different sizes get where the spec does not say another, in pixels."""

_DECODERS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP")
_GREY: Final = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")
_ALPHA: Final = ("LA", "La", "PA", "RGBA", "RGBa")
_ORIENTATION: Final = 0x0112
_TURNED: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What brings a picture upright, by the orientation that its camera noted."""
_SWAPPED: Final = (5, 6, 7, 8)
_FINER: Final = 2
"""A JPEG is decoded at a half, a quarter or an eighth where that is still so many times finer."""

_DAMAGED: Final = (
    SyntaxError,
    ValueError,
    EOFError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What decoders raise where they meet what they do not expect; and OSError without a number."""


@dataclass(frozen=True)
class Unreadable:
    """No picture that can be decoded, and why."""

    why: str


@dataclass(frozen=True)
class Size:
    """What is known of a picture before it is decoded; upright.

    Attributes:
        grey: it has no colours.
    """

    height: int
    width: int
    grey: bool


@dataclass(frozen=True)
class Shape:
    """What all pictures are made to."""

    height: int
    width: int
    channels: Literal[1, 3]
    resize: Resize

    @property
    def row(self) -> tuple[int, int, int]:
        """Of one picture."""
        return (self.height, self.width, self.channels)


def size_of(file: IO[bytes]) -> Size | Unreadable:
    """The size of a picture, from the beginning of its file.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with _opened(file) as image:
            width, height = image.size
            if _orientation(image) in _SWAPPED:
                height, width = width, height
            return Size(height, width, image.mode in _GREY)
    except (*_DAMAGED, OSError) as error:
        return _why(error)


def decode(file: IO[bytes], shape: Shape) -> NDArray[np.uint8] | Unreadable:
    """A picture as numbers from 0 to 255, of that shape.

    What shines through is laid over white.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        with _opened(file) as image:
            turned = _orientation(image)
            size = (shape.width, shape.height)
            asked = size[::-1] if turned in _SWAPPED else size
            # Nothing but JPEG can do this.
            image.draft(None, (_FINER * asked[0], _FINER * asked[1]))
            flat = _flat(image, "L" if shape.channels == 1 else "RGB")
            upright = flat.transpose(_TURNED[turned]) if turned in _TURNED else flat
            return np.asarray(_fitted(upright, size, shape.resize)).reshape(shape.row)
    except (*_DAMAGED, OSError) as error:
        return _why(error)


def common_shape(sizes: Counter[Size], wanted: ImagePreprocessing) -> tuple[Shape, str]:
    """The shape that all pictures are made to, and how it was found, for people.

    Args:
        sizes: how many pictures have which; at least one.
    """
    counts = list(sizes.values())
    heights, widths = [each.height for each in sizes], [each.width for each in sizes]
    alike = len(set(heights)) == len(set(widths)) == 1
    height, width = (float(np.median(np.repeat(each, counts))) for each in (heights, widths))
    larger = 1.0 if alike else min(1.0, LARGEST_SIDE / max(height, width))
    if wanted.height is not None:
        larger = wanted.height / height
    elif wanted.width is not None:
        larger = wanted.width / width
    height_taken = wanted.height or max(1, round(height * larger))
    width_taken = wanted.width or max(1, round(width * larger))
    grey = all(each.grey for each in sizes) if wanted.color == "auto" else wanted.color == "grey"
    shape = Shape(height_taken, width_taken, 1 if grey else 3, wanted.resize)
    found = (
        f"all are {heights[0]} x {widths[0]}"
        if alike
        else f"from {min(heights)} x {min(widths)} to {max(heights)} x {max(widths)}"
    )
    return shape, (
        f"pictures (height x width) {found}; taken as {height_taken} x {width_taken}, "
        f"{'grey' if grey else 'in colours'} (spec.data.preprocessing.image)"
    )


def _opened(file: IO[bytes]) -> Image.Image:
    return Image.open(file, formats=_DECODERS)


def _orientation(image: Image.Image) -> int:
    # Others have it behind their pixels, where they have it at all.
    if image.format not in ("JPEG", "MPO", "WEBP"):
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except _DAMAGED:
        return 1


def _flat(image: Image.Image, mode: Literal["L", "RGB"]) -> Image.Image:
    """The picture in grey or colours alone."""
    if image.mode.startswith("I"):
        # Sixteen bits, of which Pillow would clip all but the darkest.
        image = Image.fromarray((np.asarray(image) // 256).clip(0, 255).astype(np.uint8))
    if image.mode in _ALPHA or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, image)
    # Also what has the right mode already: its pixels are read here.
    return image.convert(mode)


def _fitted(image: Image.Image, size: tuple[int, int], resize: str) -> Image.Image:
    if image.size == size:
        return image
    method: Any = Image.Resampling.BILINEAR
    if resize == "crop":
        return ImageOps.fit(image, size, method)
    if resize == "pad":
        return ImageOps.pad(image, size, method, color=0)
    return image.resize(size, method)


def _why(error: Exception) -> Unreadable:
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    if isinstance(error, Image.DecompressionBombError):
        return Unreadable(f"has more pixels than are decoded ({2 * (Image.MAX_IMAGE_PIXELS or 0)})")
    if isinstance(error, UnidentifiedImageError):
        return Unreadable("is no picture that is known (JPEG, PNG, GIF, BMP, WebP)")
    return Unreadable(f"is damaged ({error})")
