"""What the model itself does to a table's encoded rows, in all forms in which it is kept."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainyard_api.spec import Model, Training
from trainyard_trainer.compress import float32
from trainyard_trainer.compress.litert import LiteModel
from trainyard_trainer.data.schema import Column, Schema, Spread
from trainyard_trainer.data.target import Classes
from trainyard_trainer.export import export_model
from trainyard_trainer.models import build, scaling_for
from trainyard_trainer.models.inputs import embedding_width
from trainyard_trainer.store import Store
from trainyard_trainer.tasks import task_of

ROWS = 97
CITIES = tuple(f"city {i}" for i in range(40))
COLUMNS = (
    Column("age", "number", 0, fill=3.5, spread=Spread(2.0, 4.0, -9.0, 9.0)),
    Column("kind", "category", 1, vocabulary=("a", "b", "c")),
    Column("member", "boolean", 2, fill=1.0),
    Column("since", "time", 3, shift=1e9, fill=-7.0, spread=Spread(0.0, 1e5, -1e6, 1e6)),
    Column("comment", "text", 4, 5, vocabulary=("[UNK]", "good", "bad")),
    Column("city", "category", 9, vocabulary=CITIES),
)
SCHEMA = Schema((10,), Classes(("no", "yes")), COLUMNS)


def encoded() -> np.ndarray:
    random = np.random.default_rng(0)
    rows = np.zeros((ROWS, 10), np.float32)
    rows[:, 0] = random.normal(2, 4, ROWS)
    rows[:, 1] = random.integers(0, 4, ROWS)
    rows[:, 2] = random.integers(0, 2, ROWS)
    rows[:, 3] = random.normal(0, 1e5, ROWS)
    rows[:, 4:9] = random.integers(0, 4, (ROWS, 5))
    rows[:, 9] = random.integers(0, 41, ROWS)
    rows[::3, 0] = rows[::4, 2] = rows[::5, 3] = np.nan
    rows[::6, 4:9] = 0
    return rows


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(1)
    task = task_of(SCHEMA.target, Training(), np.array([0, 1]))
    scaling = scaling_for("standard", SCHEMA, None)
    return build(Model(architecture="dense"), SCHEMA, task, scaling)


def test_all_forms_of_a_model_agree_on_every_row(model: keras.Model, tmp_path: Path) -> None:
    rows = encoded()
    answers = model(rows).numpy()
    assert np.isfinite(answers).all()
    store = Store.open(f"file://{tmp_path}", {}, "train", 1)
    export_model(model, "probabilities", SCHEMA, store)
    with store.keras_model.on_disk() as path:
        kept = keras.models.load_model(path, compile=False)(rows).numpy()
    with store.saved_model.on_disk() as folder:
        signature = tf.saved_model.load(str(folder)).signatures["serving_default"]
        (saved,) = signature(features=tf.constant(rows)).values()
        lite = LiteModel(float32.convert(folder, rows), 1)
    served = np.concatenate([lite.predict(rows[row : row + 1]) for row in range(ROWS)])
    for other in (kept, saved.numpy(), served):
        np.testing.assert_allclose(other, answers, atol=1e-6)


def test_a_missing_number_counts_as_what_fills_it(model: keras.Model) -> None:
    gaps, filled = encoded(), encoded()
    for column, fill in ((0, 3.5), (2, 1.0), (3, -7.0)):
        filled[np.isnan(filled[:, column]), column] = fill
    np.testing.assert_array_equal(model(gaps).numpy(), model(filled).numpy())


def test_words_that_are_no_words_do_not_count(model: keras.Model) -> None:
    embedding = model.get_layer("column_4_embedding")
    inner = keras.Model(model.inputs, model.get_layer("columns").output)
    rows = encoded()[:2]
    rows[0, 4:9] = [2, 3, 0, 0, 0]
    rows[1, 4:9] = 0
    table = embedding.get_weights()[0]
    joined = inner(rows).numpy()
    width = table.shape[1]
    # Numbers, truth values, one-hot kinds: 2 + 1 + 4 places come before.
    np.testing.assert_allclose(joined[0, 7 : 7 + width], (table[2] + table[3]) / 2, atol=1e-6)
    assert not joined[1, 7 : 7 + width].any()


@pytest.mark.parametrize(("codes", "width"), [(2, 2), (41, 13), (10_001, 50)])
def test_embeddings_are_wider_for_more_categories(codes: int, width: int) -> None:
    assert embedding_width(codes) == width
