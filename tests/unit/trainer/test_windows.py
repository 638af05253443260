"""Windows of small tables, told by hand: which steps each sees, and which it tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.trainer.people import csv_of, data, kinds
from trainyard_api.spec import Model
from trainyard_trainer.data import Dataset, Part, load
from trainyard_trainer.data.target import Classes
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models import building

STEPS = 20


def read(folder: Path, columns: dict[str, list[Any]], /, **fields: Any) -> Dataset:
    (folder / "series.csv").write_text(csv_of(columns))
    split = {"validation": 0.2, "test": 0.2}
    fields = {"split": split, "task": "regression"} | fields
    window = {"length": 3} | fields.pop("window", {})
    return load(data(folder / "series.csv", "y", window=window, **fields), {})


def series(steps: int = STEPS, first: float = 0.0) -> dict[str, list[Any]]:
    """A label that counts, beside ten times as much and a half."""
    counted = first + np.arange(steps, dtype=np.float64)
    return {"x": (10.0 * counted + 0.5).tolist(), "y": counted.tolist()}


def seen(part: Part, dataset: Dataset, name: str = "y") -> np.ndarray:
    """What windows have of a column, unshifted: (windows, steps)."""
    (column,) = (each for each in dataset.schema.columns if each.name == name)
    return part.features()[..., column.first] + column.shift


def parts(dataset: Dataset) -> list[Part]:
    return [dataset.train, dataset.validation, dataset.test]


def test_a_window_sees_steps_that_follow_each_other_and_tells_the_next(tmp_path: Path) -> None:
    dataset = read(tmp_path, series())
    assert dataset.shape == (3, 2)
    assert kinds(dataset) == {"x": "number", "y": "number"}
    assert dataset.schema.target.names == ("y",)
    for part in parts(dataset):
        last = part.targets - 1.0
        np.testing.assert_array_equal(seen(part, dataset), last + np.array([-2.0, -1.0, 0.0]))
        np.testing.assert_array_equal(seen(part, dataset, "x"), 10.0 * seen(part, dataset) + 0.5)


def test_horizon_and_stride_are_counted_in_steps(tmp_path: Path) -> None:
    dataset = read(tmp_path, series(), window={"horizon": 4, "stride": 2})
    firsts = np.concatenate([seen(part, dataset)[:, 0] for part in parts(dataset)])
    targets = np.concatenate([part.targets[:, 0] for part in parts(dataset)])
    np.testing.assert_array_equal(firsts, np.arange(0.0, STEPS - 3 - 4 + 1, 2.0))
    np.testing.assert_array_equal(targets, firsts + 2.0 + 4.0)


def test_the_last_steps_are_test_and_no_label_is_seen_before(tmp_path: Path) -> None:
    dataset = read(tmp_path, series(), window={"horizon": 2})
    train, validation, test = (part.targets[:, 0] for part in parts(dataset))
    np.testing.assert_array_equal(np.concatenate([train, validation, test]), np.arange(4.0, STEPS))
    assert (len(validation), len(test)) == (3, 4)
    assert seen(dataset.train, dataset).max() < validation.min()
    assert seen(dataset.validation, dataset).max() < test.min()
    # What was known by then may be looked back at.
    assert seen(dataset.test, dataset).min() < test.min()


def test_scaling_is_told_by_the_steps_that_training_sees(tmp_path: Path) -> None:
    dataset = read(tmp_path, series())
    x, y = (column.spread for column in dataset.schema.columns)
    assert x is not None
    assert y is not None
    learned = np.unique(seen(dataset.train, dataset))
    shift = dataset.schema.columns[1].shift
    assert y.lowest + shift == 0.0
    assert y.highest + shift == learned.max() < 11.0
    assert y.mean + shift == pytest.approx(learned.mean())
    assert x.deviation == pytest.approx(10.0 * y.deviation)


def test_no_window_reaches_from_one_series_into_another(tmp_path: Path) -> None:
    one, other = series(), series(12, first=1000.0)
    mixed = {name: [*one[name][:7], *other[name], *one[name][7:]] for name in one}
    mixed["place"] = ["here"] * 7 + ["there"] * 12 + ["here"] * 13
    dataset = read(tmp_path, mixed, window={"series": "place"})
    assert kinds(dataset) == {"x": "number", "y": "number"}
    labels = []
    for part in parts(dataset):
        np.testing.assert_array_equal(np.diff(seen(part, dataset)), 1.0)
        np.testing.assert_array_equal(seen(part, dataset)[:, -1], part.targets[:, 0] - 1.0)
        labels += part.targets[:, 0].tolist()
    assert sorted(labels) == [*np.arange(3.0, STEPS), *np.arange(1003.0, 1012.0)]
    # Each series gives its own last fifth.
    test = dataset.test.targets[:, 0]
    assert {19.0, 1011.0} <= set(test.tolist())
    assert dataset.train.targets[dataset.train.targets < 500].max() < test[test < 500].min()
    assert dataset.train.targets.max() < test[test > 500].min()


def test_steps_are_sorted_by_time_and_all_series_are_cut_at_one_moment(tmp_path: Path) -> None:
    rows = []
    for place, first, day in (("a", 0, 1), ("b", 100, 11)):
        rows += [(f"2024-01-{day + at:02}", place, first + at + 0.5) for at in range(15)]
    shuffled = [rows[at] for at in np.random.default_rng(0).permutation(len(rows))]
    columns = dict(zip(("day", "place", "y"), map(list, zip(*shuffled, strict=True)), strict=True))
    split = {"validation": 0.2, "test": 0.2, "time": "day"}
    dataset = read(tmp_path, columns, window={"series": "place"}, split=split)
    assert kinds(dataset) == {"y": "number"}
    days = {value: text for text, _, value in rows}
    held = [{days[label] for label in part.targets[:, 0].tolist()} for part in parts(dataset)]
    assert max(held[0]) < min(held[1]) <= max(held[1]) < min(held[2])
    for part in parts(dataset):
        np.testing.assert_array_equal(np.diff(seen(part, dataset)), 1.0)


def test_no_window_reaches_across_a_row_that_is_left_out(tmp_path: Path) -> None:
    columns = series()
    columns["x"][8] = ""
    dataset = read(tmp_path, columns, cleaning={"missing": {"strategy": "drop"}})
    labels = np.concatenate([part.targets[:, 0] for part in parts(dataset)])
    np.testing.assert_array_equal(labels, [3, 4, 5, 6, 7, *range(12, STEPS)])
    for part in parts(dataset):
        np.testing.assert_array_equal(np.diff(seen(part, dataset)), 1.0)


def test_what_is_missing_in_a_step_is_filled_by_the_model(tmp_path: Path) -> None:
    columns = series()
    columns["x"][8] = ""
    dataset = read(tmp_path, columns, cleaning={"missing": {"strategy": "mean"}})
    assert len(np.concatenate([part.targets for part in parts(dataset)])) == STEPS - 3
    assert np.isnan(seen(dataset.train, dataset, "x")).sum() == 3
    assert dataset.schema.columns[0].fill is not None


def test_a_streamed_series_gives_the_same_windows(tmp_path: Path) -> None:
    resident = read(tmp_path, series(), source={"streaming": "never"})
    streamed = read(tmp_path, series(), source={"streaming": "always"})
    for one, other in zip(parts(resident), parts(streamed), strict=True):
        np.testing.assert_array_equal(one.features(), other.features())
        np.testing.assert_array_equal(one.targets, other.targets)


def test_features_may_leave_the_labels_own_past_out(tmp_path: Path) -> None:
    assert kinds(read(tmp_path, series(), source={"features": ["x"]})) == {"x": "number"}
    assert kinds(read(tmp_path, series(), source={"features": ["y"]})) == {"y": "number"}


def test_notes_say_what_the_last_value_is_worth(tmp_path: Path) -> None:
    (told,) = (each for each in read(tmp_path, series()).notes if "naive" in each)
    assert "mae 1, rmse 1" in told


def test_classes_and_several_numbers_are_told_as_well(tmp_path: Path) -> None:
    columns = series() | {"sky": ["clear", "grey", "grey", "dark"] * 5}
    dataset = read(tmp_path, columns, source={"label": "sky"}, task=None)
    assert dataset.schema.target == Classes(("clear", "dark", "grey"))
    assert kinds(dataset) == {"x": "number", "y": "number", "sky": "category"}
    told = np.concatenate([part.targets for part in parts(dataset)])
    np.testing.assert_array_equal(
        told, [{"clear": 0, "dark": 1, "grey": 2}[s] for s in columns["sky"][3:]]
    )
    assert any("has on test: accuracy 0.25" in note for note in dataset.notes)

    both = read(tmp_path, columns, source={"label": ["y", "x"]})
    np.testing.assert_array_equal(both.train.targets[0], [3.0, 30.5])
    assert any("has on test: mae 5.5" in note for note in both.notes)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"architecture": "rnn", "rnn": {"units": [4] * 60}}, "make spec.data.window.length smal"),
        ({"architecture": "rnn", "rnn": {"embedding": 8}}, r"rnn\.embedding: is of words"),
        ({"architecture": "cnn"}, r"cnn needs images; a row here has the shape \(20, 2\)"),
    ],
)
def test_a_model_that_does_not_fit_windows_is_refused(
    tmp_path: Path, model: dict[str, Any], message: str
) -> None:
    schema = read(tmp_path, series(60), window={"length": 20}).schema
    with pytest.raises(InvalidSpec, match=message):
        building.check(Model.model_validate(model), schema)


def test_parts_that_the_source_brings_have_windows_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(csv_of(series()))
    (tmp_path / "test.csv").write_text(csv_of(series(8, first=STEPS)))
    window = {"length": 3}
    dataset = load(data(tmp_path, "y", task="regression", window=window), {})
    assert seen(dataset.test, dataset).min() == STEPS
    np.testing.assert_array_equal(dataset.test.targets[:, 0], STEPS + np.arange(3.0, 8.0))


def test_folds_are_divided_by_time_as_well(tmp_path: Path) -> None:
    dataset = read(tmp_path, series(), fold={"index": 1, "of": 3})
    train, validation, test = (part.targets[:, 0] for part in parts(dataset))
    assert train.max() < validation.min() <= validation.max() < test.min()
