"""In what precision a model computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.families import FAMILIES, Work
from trainyard_api.spec import Training
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.training import precision
from trainyard_trainer.training.fit import Surroundings, fit
from trainyard_trainer.training.gang import Gang
from trainyard_trainer.training.precision import agreed, in_float32, why_not

NOTHING = frozenset({"sse4_2"})


@pytest.mark.parametrize(
    ("wanted", "gpus", "flags", "why"),
    [
        ("mixed_float16", [("V100", (7, 0))], NOTHING, ""),
        ("mixed_float16", [("P100", (6, 0))], NOTHING, "P100"),
        ("mixed_bfloat16", [("V100", (7, 0))], NOTHING, "V100"),
        ("mixed_bfloat16", [("H100", (9, 0)), ("T4", (7, 5))], NOTHING, "T4"),
        ("mixed_bfloat16", [("another maker's", None)], NOTHING, ""),
        ("mixed_bfloat16", [], NOTHING | {"avx512_bf16"}, ""),
        ("mixed_bfloat16", [], NOTHING, "this processor"),
        ("mixed_float16", [], NOTHING | {"avx512_bf16"}, "this processor"),
    ],
)
def test_hardware_that_has_no_such_precision_is_named(
    wanted: str, gpus: Any, flags: frozenset[str], why: str
) -> None:
    assert why_not(wanted, gpus, flags) == why


def test_float32_is_taken_and_told_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "_flags", lambda _: NOTHING)
    wanted = Training(precision="mixed_bfloat16")
    taken, note = agreed(wanted, Gang.alone())

    assert taken.precision == "float32"
    assert note == ("precision float32, not mixed_bfloat16: this processor does not compute in it")
    with pytest.raises(InvalidSpec, match="precision: mixed_bfloat16 is nothing that this proc"):
        agreed(wanted.model_copy(update={"strictPrecision": True}), Gang.alone())


@pytest.mark.parametrize("wanted", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", ["residual", "gru of texts", "regression"])
def test_a_family_learns_in_half_precision_and_is_exported_in_float32(
    name: str, wanted: str, tmp_path: Path
) -> None:
    family = FAMILIES[name]
    work = Work.of(family.spec(tmp_path, precision=wanted, epochs=6))
    fitted = fit(work.fitting(), Gang.alone(), Surroundings.none())
    assert {variable.dtype for variable in fitted.model.trainable_variables} == {"float32"}
    assert any(layer.compute_dtype == wanted[6:] for layer in fitted.model.layers)
    assert fitted.model.layers[-1].compute_dtype == "float32"

    plain = Work.of(family.spec(tmp_path))
    made = in_float32(fitted.model, plain.fitting().build, Gang.alone())
    assert {layer.compute_dtype for layer in made.layers} == {"float32"}
    rows = np.asarray(work.dataset.test.take(np.arange(16)).features, np.float32)
    np.testing.assert_allclose(
        np.asarray(made(rows, training=False)),
        np.asarray(fitted.model(rows, training=False), np.float32),
        atol=0.05,
    )
