"""The model: checked, loaded and asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from trainyard_serving.model import Model, ModelRejected


def test_a_file_with_another_digest_is_not_loaded(model_files, tmp_path: Path) -> None:
    changed = tmp_path / "model.tflite"
    changed.write_bytes(model_files["image"].path.read_bytes() + b"\0")
    with pytest.raises(ModelRejected, match=r"has sha256 .* not .*: it was not loaded"):
        Model.load(changed, model_files["image"].sha256)


def test_a_missing_file_is_rejected_and_named(tmp_path: Path) -> None:
    with pytest.raises(ModelRejected, match=r"gone\.tflite cannot be read: No such file"):
        Model.load(tmp_path / "gone.tflite", "0" * 64)


def test_a_file_that_is_no_model_is_rejected(tmp_path: Path) -> None:
    import hashlib

    path = tmp_path / "text.tflite"
    path.write_bytes(b"this is no model" * 10)
    with pytest.raises(ModelRejected, match="cannot be served"):
        Model.load(path, hashlib.sha256(path.read_bytes()).hexdigest())


def test_a_model_of_two_inputs_is_rejected_and_says_why(model_files) -> None:
    with pytest.raises(ModelRejected, match="2 inputs and 1 outputs; one of each"):
        model_files["two_inputs"].load()


@pytest.mark.parametrize("rows", [1, 2, 31, 32, 33, 70])
def test_a_batch_is_answered_as_its_rows_are_one_by_one(model_files, images, rows: int) -> None:
    model = model_files["image"].load()
    together = model.predict(images[:rows])
    alone = np.concatenate([model.predict(images[i : i + 1]) for i in range(rows)])
    assert together.shape == (rows, 3)
    np.testing.assert_allclose(together, alone, atol=1e-6)
    np.testing.assert_allclose(together.sum(axis=1), 1.0, atol=1e-5)


@pytest.mark.parametrize("name", ["image_int8", "image_uint8"])
def test_a_quantized_model_takes_and_gives_ordinary_numbers(model_files, images, name) -> None:
    quantized, original = model_files[name].load(), model_files["image"].load()
    assert quantized.input.dtype == np.float32
    assert quantized.input.stored.name == name.removeprefix("image_")
    np.testing.assert_allclose(quantized.predict(images), original.predict(images), atol=0.03)


def test_a_quantized_model_cuts_numbers_out_of_its_range(model_files) -> None:
    model = model_files["image_int8"].load()
    huge = np.full((1, 4, 4, 1), 1e6, np.float32)
    largest = np.full((1, 4, 4, 1), 255, np.float32)
    np.testing.assert_array_equal(model.predict(huge), model.predict(largest))


def test_a_model_of_one_row_answers_batches_too(model_files, images) -> None:
    fixed, free = model_files["image_one_row"].load(), model_files["image"].load()
    np.testing.assert_allclose(fixed.predict(images), free.predict(images), atol=1e-6)


def test_many_threads_get_the_answers_to_their_own_rows(model_files, images) -> None:
    model = model_files["image"].load(interpreters=2)
    expected = model.predict(images)
    with ThreadPoolExecutor(8) as threads:
        answers = list(
            threads.map(lambda i: model.predict(images[i : i + 1]), list(range(70)) * 20)
        )
    for turn, answer in enumerate(answers):
        np.testing.assert_allclose(answer[0], expected[turn % 70], atol=1e-6)
