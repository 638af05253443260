"""The techniques, on a real model."""

from __future__ import annotations

import numpy as np
import pytest

from trainyard_trainer.compress import conversion
from trainyard_trainer.compress.measure import HeldOut, measure_litert, measure_saved_model
from trainyard_trainer.compress.stage import REPRESENTATIVE_ROWS, representative_rows
from trainyard_trainer.compress.techniques import TECHNIQUES
from trainyard_trainer.data import Part


@pytest.fixture(scope="module")
def contents(trained) -> dict[str, bytes]:
    rows = representative_rows(trained.dataset.train, 0)
    return {name: convert(trained.folder, rows) for name, convert in TECHNIQUES.items()}


@pytest.mark.parametrize("name", TECHNIQUES)
def test_a_candidate_is_as_accurate_as_the_original_but_for_little(trained, contents, name) -> None:
    original = measure_saved_model(trained.folder, trained.held_out)
    candidate = measure_litert(contents[name], trained.held_out)
    assert original.accuracy > 0.9
    assert abs(candidate.accuracy - original.accuracy) <= 0.02
    assert candidate.bytes == len(contents[name])
    assert 0 < candidate.latencyMicroseconds < original.latencyMicroseconds
    assert candidate.throughput


def test_float32_gives_the_originals_answers(trained, contents) -> None:
    original = measure_saved_model(trained.folder, trained.held_out)
    assert measure_litert(contents["float32"], trained.held_out).accuracy == original.accuracy


def test_the_techniques_make_the_model_smaller(contents) -> None:
    sizes = {name: len(content) for name, content in contents.items()}
    assert sizes["int8"] < 0.5 * sizes["float32"]
    assert sizes["dynamic_range"] < 0.5 * sizes["float32"]
    assert sizes["float16"] < 0.7 * sizes["float32"]


def test_int8_keeps_float32_input_and_output(contents) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=contents["int8"])
    details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    assert [each["dtype"] for each in details] == [np.float32, np.float32]
    assert interpreter.get_input_details()[0]["shape_signature"][0] == -1


def test_accuracy_counts_the_rows_beyond_the_last_whole_batch(trained, contents) -> None:
    few = trained.dataset.test.only(np.arange(33))
    predicted = _predicted(contents["float32"], few.features())

    def accuracy(targets: np.ndarray) -> float:
        held_out = HeldOut(Part(few.source, few.numbers, targets), trained.held_out.judge)
        return measure_litert(contents["float32"], held_out).accuracy

    assert accuracy(predicted) == 1.0
    wrong_at_the_end = np.append(predicted[:32], (predicted[32] + 1) % 10)
    assert accuracy(wrong_at_the_end) == round(32 / 33, 6)


def _predicted(content: bytes, features: np.ndarray) -> np.ndarray:
    from trainyard_trainer.compress.litert import LiteModel

    model = LiteModel(content, len(features))
    return model.predict(features.astype(np.float32)).argmax(axis=1).astype(np.int64)


def test_representative_rows_come_from_train_alone_and_are_the_same_for_a_seed(trained) -> None:
    train = trained.dataset.train
    rows = representative_rows(train, 3)
    assert rows.shape == (REPRESENTATIVE_ROWS, *trained.dataset.shape)
    assert rows.dtype == np.float32
    known = {row.astype(np.float32).tobytes() for row in train.features()}
    assert all(row.tobytes() in known for row in rows)
    np.testing.assert_array_equal(rows, representative_rows(train, 3))
    assert not np.array_equal(rows, representative_rows(train, 4))


def test_a_small_training_part_is_representative_as_a_whole(trained) -> None:
    train = trained.dataset.train
    few = train.only(np.arange(7))
    assert len(representative_rows(few, 0)) == 7


def test_what_the_converter_cannot_do_is_a_failed_conversion() -> None:
    class Refusing:
        def convert(self) -> bytes:
            raise RuntimeError("no int8 form\nand a long story")

    with pytest.raises(conversion.ConversionFailed, match=r"^RuntimeError: no int8 form$"):
        conversion.convert(Refusing())
