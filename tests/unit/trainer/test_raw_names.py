"""What the raw signature calls the columns of a table."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from trainyard_trainer.export.raw.names import input_names


def exported(names: tuple[str, ...], folder: Path) -> list[float]:
    """What a signature of these inputs, saved and loaded, takes each of them for."""
    module = tf.Module()
    specs = [tf.TensorSpec((None,), tf.float64, name=name) for name in names]
    module.serve = tf.function(
        lambda *cells: {"cells": tf.stack(cells, axis=1)}, input_signature=specs, autograph=False
    )
    tf.saved_model.save(module, str(folder), signatures={"raw": module.serve})
    signature = tf.saved_model.load(str(folder)).signatures["raw"]
    given = {name: tf.constant([place], tf.float64) for place, name in enumerate(names)}
    order: list[float] = signature(**given)["cells"].numpy()[0].tolist()
    return order


@pytest.mark.parametrize(
    "columns",
    [
        ["age", "Age", "AGE", "age_2", "capital-gain", "capital_gain", "capital gain"],
        ["self", "class", "name", "args", "None", "cells", "features"],
        ["", " ", "_id", "1st", "arg_1st", "2024", "a.b", "a/b", "Größe (cm)", "名前", "名字", "%"],
    ],
)
def test_tensorflow_takes_every_name(columns: list[str], tmp_path: Path) -> None:
    names = input_names(columns)
    assert exported(names, tmp_path / "model") == list(range(len(columns)))


def test_names_that_tensorflow_takes_stay() -> None:
    names = ("age", "City", "capital-gain", "x.1", "1st", "a_b")
    assert input_names(names) == names


def test_names_that_tensorflow_does_not_take_are_changed_and_told_apart() -> None:
    columns = ["Capital gain", "capital-gain", "_id", "self", "Größe", ""]
    wanted = ("Capital_gain", "capital-gain_2", "column_id", "self_2", "Gr__e", "column")
    assert input_names(columns) == wanted


@given(st.lists(st.text(max_size=4), max_size=12, unique=True))
def test_names_differ_in_more_than_capitals(columns: list[str]) -> None:
    names = [name.lower() for name in input_names(columns)]
    assert len(set(names)) == len(columns)
    assert all(name.isascii() and name[0].isalnum() for name in names)
