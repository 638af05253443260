"""Rows of numbers: from parsed JSON to an array that the model takes, or a Refusal that helps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainyard_api.contract import Contract
from trainyard_api.encoding import Encoder, WindowEncoder, WrongRow
from trainyard_serving.refusals import Refusal
from trainyard_serving.tensor import Array, TensorSpec


def to_array(values: Sequence[Any], where: str) -> Array:
    """Nested lists of JSON numbers as an array of integers or floats.

    Args:
        values: what JSON gave.
        where: how the client calls it, for messages.

    Raises:
        Refusal: 400 for an empty list, a ragged one, or anything that is no number.
    """
    if len(values) == 0:
        raise Refusal(400, f"{where} is empty; send at least one row")
    try:
        array = np.array(values)
    except ValueError:
        array = np.array(None)
    if array.dtype.kind in "iuf":
        if array.size == 0:
            raise Refusal(400, f"{where} holds empty lists; send numbers")
        return array
    _refuse_other_than_numbers(values, where)
    raise Refusal(400, f"{where} is ragged: {_first_ragged(values, where)}")


def encode(values: Sequence[Any], encoder: Encoder | WindowEncoder, where: str) -> Array:
    """Rows of a table's cells as the numbers that the model takes.

    Args:
        values: a row each: an object of cells by the columns' names, or a list in their order; of
            windows, a list of such steps.
        where: how the client calls it, for messages.

    Returns:
        Shape (n, places) or (n, steps, places), float32; NaN stands for what the model fills in.

    Raises:
        Refusal: 400; an empty list, or a row that the contract does not allow.
    """
    if len(values) == 0:
        raise Refusal(400, f"{where} is empty; send at least one row")
    rows = []
    for index, value in enumerate(values):
        try:
            rows.append(encoder.encode(value))
        except WrongRow as error:
            raise Refusal(400, f"{where}[{index}]: {error}") from error
    with np.errstate(over="ignore"):
        return np.array(rows, np.float64).astype(np.float32)


def shifted(array: Array, contract: Contract | None) -> Array:
    """Numbers as the model takes them: what training took off is taken off before they are rounded
    to float32.
    """
    if contract is None or not contract.input.shift:
        return array
    shift = np.array(contract.input.shift)
    return array - shift if array.shape[-1:] == shift.shape else array


def to_rows(array: Array, spec: TensorSpec, where: str) -> Array:
    """`array` as rows of the model's shape and type.

    An image without its single channel is given one: (n, 28, 28) for a model that takes
    (n, 28, 28, 1).

    Args:
        array: shape (n, ...), of numbers.
        spec: the model's input.
        where: how the client calls it, for messages.

    Returns:
        Shape (n, *spec.shape) of spec.dtype, all finite.

    Raises:
        Refusal: 400 for another shape, or numbers that the model's type cannot hold.
    """
    shape = array.shape[1:]
    if shape != spec.shape and (*shape, 1) != spec.shape:
        raise Refusal(
            400, f"{where} has shape {_shown(array.shape)}; send {describe_shape(spec.shape)}"
        )
    return _converted(array, spec.dtype, where).reshape(len(array), *spec.shape)


def check_rows(count: int, most: int, where: str) -> None:
    """Refuses a batch that is too large (413), before it costs anything."""
    if count > most:
        raise Refusal(413, f"{where} has {count} rows; send at most {most} in one request")


def describe_shape(shape: tuple[int, ...]) -> str:
    """The shapes that rows of `shape` may be sent in, for messages."""
    text = f"shape {_shown(('n', *shape))}, a row for each of n examples"
    if len(shape) > 1 and shape[-1] == 1:
        text += f"; or {_shown(('n', *shape[:-1]))}, without the channel"
    return text


def _converted(array: Array, dtype: np.dtype[Any], where: str) -> Array:
    if dtype.kind == "f":
        with np.errstate(over="ignore"):
            converted = array.astype(dtype)
        if not np.isfinite(converted).all():
            raise Refusal(
                400, f"{where} holds NaN, Infinity or a number too large for {dtype.name}"
            )
        return converted
    bounds = np.iinfo(dtype)
    if not ((array >= bounds.min) & (array <= bounds.max) & (np.rint(array) == array)).all():
        raise Refusal(
            400, f"{where}: the model takes whole numbers from {bounds.min} to {bounds.max}"
        )
    return array.astype(dtype)


def _shown(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(str(size) for size in shape)}]"


def _refuse_other_than_numbers(value: Any, where: str) -> None:
    """Refuses the first thing in `value` that is no number, and names it."""
    if isinstance(value, list):
        for index, child in enumerate(value):
            _refuse_other_than_numbers(child, f"{where}[{index}]")
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        kinds = {bool: "true or false", str: "text", dict: "an object", type(None): "null"}
        raise Refusal(400, f"{where} is {kinds.get(type(value), 'no number')}; send numbers")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise Refusal(400, f"{where} is a number of more than 64 bits")


def _first_ragged(values: Sequence[Any], where: str) -> str:
    """Names the first element that is not shaped like its first sibling."""
    first: tuple[int, ...] | None = None
    for index, child in enumerate(values):
        try:
            shape = np.shape(child)
        except ValueError:
            return _first_ragged(child, f"{where}[{index}]")
        first = shape if first is None else first
        if shape != first:
            return (
                f"{where}[{index}] has shape {_shown(shape)}, {where}[0] has shape {_shown(first)}"
            )
    return "its rows have different shapes"
