"""A model that was announced wrongly is told once; a store that is away is tried again."""

from __future__ import annotations

from pathlib import Path

import pytest
import tensorflow as tf

from trainyard_api.digests import artifact_sha256
from trainyard_api.exit_codes import ExitCode
from trainyard_trainer.compress.announced import announced_model
from trainyard_trainer.compress.measure import measure_saved_model
from trainyard_trainer.errors import InvalidResult, ModelRejected, StoreUnavailable

DIGEST = "0" * 64
STORAGE = "pvc://artifacts/default/mine/1-5f3a9c"
MODEL = f"{STORAGE}/model/saved_model"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TRAINYARD_VOLUMES": str(tmp_path)}


def test_a_model_that_is_not_there_is_an_invalid_result_with_its_address(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    folder = tmp_path / "artifacts/default/mine/1-5f3a9c/model"
    folder.mkdir(parents=True)
    (folder / "savedmodel").mkdir()
    with pytest.raises(InvalidResult) as caught:
        announced_model(MODEL, DIGEST, STORAGE, environ, tmp_path)
    assert caught.value.exit_code == ExitCode.INVALID
    assert f"{MODEL}: nothing is there" in str(caught.value)
    assert "has: savedmodel" in str(caught.value)


def test_a_claim_that_is_not_mounted_is_a_store_that_is_away(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(StoreUnavailable):
        announced_model(MODEL, DIGEST, STORAGE, environ, tmp_path)


def test_a_claim_that_no_pod_has_is_an_invalid_result(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(InvalidResult, match="pvc://other/model: nothing is there"):
        announced_model("pvc://other/model", DIGEST, STORAGE, environ, tmp_path)


def test_a_disk_that_refuses_is_a_store_that_is_away(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(StoreUnavailable, match="check the volume"):
        announced_model(MODEL, DIGEST, STORAGE, environ, tmp_path)


def test_a_model_with_another_digest_is_rejected_once(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_text("x")
    with pytest.raises(ModelRejected) as caught:
        announced_model(f"file://{tmp_path}", DIGEST, "file:///store", {}, tmp_path)
    assert caught.value.exit_code == ExitCode.INVALID
    assert f"found {artifact_sha256(tmp_path)}" in str(caught.value)


def test_a_file_is_no_saved_model(tmp_path: Path) -> None:
    model = tmp_path / "model.keras"
    model.write_text("x")
    with pytest.raises(InvalidResult, match="it is no SavedModel"):
        announced_model(f"file://{model}", artifact_sha256(model), "file:///store", {}, tmp_path)


def test_a_saved_model_without_the_signature_says_which_it_needs(trained, tmp_path: Path) -> None:
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(InvalidResult, match="signature serving_default with one input"):
        measure_saved_model(tmp_path, trained.held_out)


def save_serving(function, folder: Path) -> None:
    module = tf.Module()
    module.serve = tf.function(function, input_signature=[tf.TensorSpec(None, tf.float32)])
    tf.saved_model.save(module, str(folder), signatures={"serving_default": module.serve})


def test_a_saved_model_of_other_data_says_the_shape_that_rows_have(trained, tmp_path: Path) -> None:
    save_serving(lambda rows: {"output": tf.linalg.matmul(rows, tf.ones((3, 2)))}, tmp_path)
    with pytest.raises(InvalidResult, match=r"does not take float32 rows of shape \(8, 8, 1\)"):
        measure_saved_model(tmp_path, trained.held_out)


def test_a_saved_model_that_answers_no_classes_says_what_it_has_to(trained, tmp_path: Path) -> None:
    save_serving(lambda rows: {"output": rows}, tmp_path)
    with pytest.raises(InvalidResult, match=r"answers with shape \(1, 8, 8, 1\)"):
        measure_saved_model(tmp_path, trained.held_out)
