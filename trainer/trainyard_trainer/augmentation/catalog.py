"""Which layers there are for augmentation, by the names that a spec gives them.

They are listed, not found in Keras: each has been tried inside a graph and a gang.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

import keras

from trainyard_trainer.augmentation.mixing import CutMix, MixUp
from trainyard_trainer.augmentation.noise import GaussianNoise
from trainyard_trainer.errors import InvalidSpec

OWN: Final[Mapping[str, Any]] = {
    "GaussianNoise": GaussianNoise,
    "MixUp": MixUp,
    "CutMix": CutMix,
}
"""Layers that are built here. Keras' MixUp and CutMix ask for targets as one-hot vectors, and its
GaussianNoise knows no unit of the rows."""
NUMBERS_TOO: Final = ("GaussianNoise", "MixUp")
"""What is no layer of pictures alone."""
CHANNELS: Final[Mapping[str, tuple[int, ...]]] = {
    "RandAugment": (1, 3),
    "RandomColorDegeneration": (3,),
    "RandomColorJitter": (3,),
    "RandomGrayscale": (3,),
    "RandomHue": (3,),
    "RandomSaturation": (3,),
}
"""How many channels a picture must have, where that matters."""

_OF_KERAS: Final = (
    "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization",
    "Equalization",
    "RandAugment",
    "RandomBrightness",
    "RandomColorDegeneration",
    "RandomColorJitter",
    "RandomContrast",
    "RandomErasing",
    "RandomFlip",
    "RandomGaussianBlur",
    "RandomGrayscale",
    "RandomHue",
    "RandomInvert",
    "RandomPerspective",
    "RandomPosterization",
    "RandomRotation",
    "RandomSaturation",
    "RandomSharpness",
    "RandomShear",
    "RandomTranslation",
    "RandomZoom",
    "Solarization",
)
_RESIZES: Final = (
    "changes the size of pictures, which the model takes as they are; use RandomZoom or "
    "RandomTranslation"
)
_LEFT_OUT: Final[Mapping[str, str]] = {
    "AugMix": (
        "chooses its operations once, when Keras builds the graph, and no restart could repeat "
        "them; use RandAugment"
    ),
    "RandomElasticTransform": (
        "gives all pictures of a step the content of the first, as Keras builds it for batches of "
        "any size; use RandomPerspective or RandomShear"
    ),
    "CenterCrop": _RESIZES,
    "RandomCrop": _RESIZES,
    "Resizing": _RESIZES,
    "MaxNumBoundingBoxes": "changes bounding boxes, which no row has; leave it out",
}


def known() -> list[str]:
    """All names, in their order."""
    return sorted([*OWN, *_OF_KERAS])


def class_of(name: str, field: str) -> Any:
    """The class of a layer.

    Args:
        field: of the spec, where the name stands.

    Raises:
        InvalidSpec: there is no such layer, or none that can be used here.
    """
    if name in OWN:
        return OWN[name]
    if name in _OF_KERAS:
        return getattr(keras.layers, name)
    if name in _LEFT_OUT:
        raise InvalidSpec(f"{field}: {name} {_LEFT_OUT[name]}")
    raise InvalidSpec(
        f"{field}: {name} is no layer for augmentation;{_near(name)} known: {', '.join(known())}"
    )


def _near(name: str) -> str:
    by_letters = {each.lower(): each for each in known()}
    near = difflib.get_close_matches(name.lower(), by_letters, n=1)
    return f" did you mean {by_letters[near[0]]}?" if near else ""
