"""In what precision a model computes: what the spec asks for, or what the hardware has.

With mixed precision (Micikevicius et al., 2018) layers compute in half precision, and weights, the
preprocessing and the last layer stay in float32. What is exported computes in float32: it has the
same weights, and runs anywhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf

from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training.gang import Gang

_log = logging.getLogger(__name__)

_FIELD: Final = "spec.training.precision"
_NEEDED: Final = {"mixed_float16": (7, 0), "mixed_bfloat16": (8, 0)}
"""Compute capability of NVIDIA's GPUs from which on half precision is faster (Volta, Ampere)."""
_FLAGS: Final = {
    "mixed_float16": ("avx512_fp16", "amx_fp16"),
    "mixed_bfloat16": ("avx512_bf16", "amx_bf16"),
}
"""Of processors that compute in it; others convert every number, forth and back."""
_CPUINFO: Final = Path("/proc/cpuinfo")


def agreed(training: Training, gang: Gang) -> tuple[Training, str | None]:
    """The training in a precision that all workers' hardware has, and what is to be told of it.

    Raises:
        InvalidSpec: one has not what is asked for, and nothing else is to be taken.
        tf.errors.OpError: a worker vanished (see `peers_may_vanish`).
    """
    wanted = training.precision
    if wanted == "float32":
        return training, None
    why = why_not(wanted, _capabilities(), _flags(_CPUINFO.read_text))
    if why:
        _log.info("%s: %s has no %s", _FIELD, why, wanted.removeprefix("mixed_"))
    (without,) = gang.sum([np.array([bool(why)], np.float32)])
    if not without[0]:
        return training, None
    whose = why or "another worker's hardware"
    if training.strictPrecision:
        raise InvalidSpec(
            f"{_FIELD}: {wanted} is nothing that {whose} computes in; use float32, ask for other "
            "hardware, or leave strictPrecision out to take float32 where it has to be"
        )
    note = f"precision float32, not {wanted}: {whose} does not compute in it"
    _log.warning(note)
    return training.model_copy(update={"precision": "float32"}), note


def why_not(
    wanted: str, capabilities: list[tuple[str, tuple[int, int] | None]], flags: frozenset[str]
) -> str:
    """The hardware that does not compute in a precision; empty where all does.

    Args:
        capabilities: name and compute capability of each GPU; None: it says none (another maker's).
        flags: of the processor, which counts where there is no GPU.
    """
    if capabilities:
        old = [name for name, has in capabilities if has is not None and has < _NEEDED[wanted]]
        return old[0] if old else ""
    return "" if flags.intersection(_FLAGS[wanted]) else "this processor"


@contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Layers that are made within compute in a precision, where they name none themselves."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_float32(model: keras.Model, build: Callable[[], keras.Model], gang: Gang) -> keras.Model:
    """A model of the same weights that computes in float32.

    Args:
        build: makes the same model, in float32.
    """
    with gang.strategy.scope():
        made = build()
        made.set_weights(model.get_weights())
    return made


def _capabilities() -> list[tuple[str, tuple[int, int] | None]]:
    found = []
    for gpu in tf.config.list_physical_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        name = details.get("device_name") or gpu.name
        found.append((name, details.get("compute_capability")))
    return found


def _flags(read: Callable[[], str]) -> frozenset[str]:
    try:
        lines = read().splitlines()
    except OSError:
        return frozenset()
    line = next((line for line in lines if line.startswith(("flags", "Features"))), "")
    return frozenset(line.partition(":")[2].split())
