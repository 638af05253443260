"""What is wrong with `spec.data.augmentation`, told before the gang assembles.

No layer is made here: Keras' random layers have variables, and no operation of TensorFlow may run
yet. What only a layer itself can refuse is told by `Augmentation`.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trainyard_api.listing import listed
from trainyard_api.spec.data import AugmentationLayer
from trainyard_trainer.augmentation import catalog
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec

FIELD: Final = "spec.data.augmentation"

_NOTED: Final = 6
_SET_ELSEWHERE: Final[Mapping[str, str]] = {
    "seed": "spec.training.seed is the seed of all layers",
    "data_format": "spec.data.preprocessing.channels tells where rows have their channels",
}
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "mode": ("horizontal", "vertical", "horizontal_and_vertical"),
}
"""Arguments of which Keras takes any value, and then does nothing."""


def check(layers: Sequence[AugmentationLayer], schema: Schema) -> None:
    """Make sure that all layers are known, have arguments by the right names and fit the rows.

    TensorFlow's devices are not touched, so that this may run before the gang assembles.

    Raises:
        InvalidSpec: one does not.
    """
    for index, layer in enumerate(layers):
        field = f"{FIELD}[{index}]"
        target = catalog.class_of(layer.layer, f"{field}.layer")
        _check_arguments(f"{field}.arguments", target, layer)
        if layer.layer in catalog.NUMBERS_TOO:
            _check_columns(f"{field}.layer", layer.layer, schema)
        else:
            _check_picture(f"{field}.layer", layer.layer, schema)


def note(layers: Sequence[AugmentationLayer], rows: int) -> str:
    """What is told of it beside the data.

    Args:
        rows: of the training part.
    """
    names = listed([layer.layer for layer in layers], _NOTED)
    return (
        f"augmentation changes the {rows} training rows anew in every step, and no others: {names}"
    )


def _check_arguments(field: str, target: Any, layer: AugmentationLayer) -> None:
    parameters = {
        name: parameter
        for name, parameter in inspect.signature(target.__init__).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD and name not in ("self", "name")
    }
    settable = [name for name in parameters if name not in _SET_ELSEWHERE]
    for name, value in layer.arguments.items():
        if name in _SET_ELSEWHERE:
            raise InvalidSpec(f"{field}.{name}: {_SET_ELSEWHERE[name]}; leave it out")
        if name not in settable:
            usable = f"use one of: {', '.join(settable)}" if settable else "it takes none"
            raise InvalidSpec(f"{field}: {layer.layer} has no argument {name}; {usable}")
        if name in _CHOICES and value not in _CHOICES[name]:
            raise InvalidSpec(
                f"{field}.{name}: cannot be {value!r}; use one of: {', '.join(_CHOICES[name])}"
            )
        if name == "value_range" and not _is_range(value):
            raise InvalidSpec(
                f"{field}.{name}: should be the lowest and the highest value of the rows, as in "
                f"[0, 255], not {value!r}"
            )
    for name in settable:
        if parameters[name].default is inspect.Parameter.empty and name not in layer.arguments:
            raise InvalidSpec(f"{field}.{name}: is required by {layer.layer}")


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in value)
        and value[0] < value[1]
    )


def _check_picture(field: str, name: str, schema: Schema) -> None:
    if len(schema.picture) != 3:
        raise InvalidSpec(
            f"{field}: {name} works on pictures, and a row here has the shape {schema.shape}; "
            f"use {' or '.join(catalog.NUMBERS_TOO)}, or leave it out"
        )
    channels, fitting = schema.picture[-1], catalog.CHANNELS.get(name)
    if fitting is not None and channels not in fitting:
        raise InvalidSpec(
            f"{field}: {name} works on pictures of {' or '.join(map(str, fitting))} channels, and "
            f"these have {channels}; use RandomBrightness or RandomContrast, or leave it out"
        )


def _check_columns(field: str, name: str, schema: Schema) -> None:
    kinds = {column.kind for column in schema.columns}
    if not kinds:
        return
    if name == "MixUp" and (worded := kinds & {"category", "text"}):
        named = [column.name for column in schema.columns if column.kind in worded]
        raise InvalidSpec(
            f"{field}: MixUp mixes numbers, and there is nothing between two categories or texts; "
            f"leave it out, or take {listed(named, 3)} out of spec.data.source.features"
        )
    if name == "GaussianNoise" and not kinds & {"number", "time"}:
        raise InvalidSpec(
            f"{field}: GaussianNoise changes columns of numbers and times, and there are none; "
            "leave it out"
        )
