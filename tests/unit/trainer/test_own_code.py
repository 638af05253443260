"""Code of the job's author: brought by its digest, and told about where it is wrong."""

from __future__ import annotations

import re
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from trainyard_api import environment
from trainyard_api.digests import artifact_sha256
from trainyard_api.spec import Code, Model, Training
from trainyard_trainer.data.moments import moments
from trainyard_trainer.data.resident import Resident
from trainyard_trainer.data.rows import whole
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.data.target import Classes, Quantities, SeveralLabels, Target
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models import build, scaling_of
from trainyard_trainer.models.scaling import Scaling
from trainyard_trainer.own_code import EntryPoint, bring, fetching, within_reason
from trainyard_trainer.tasks import Task, task_of
from trainyard_trainer.tasks.own_loss import check_own_loss
from trainyard_trainer.training.fit.callbacks import Callbacks
from trainyard_trainer.training.gang import Gang

MODELS = """
import keras


@keras.saving.register_keras_serializable("own")
class Gate(keras.layers.Layer):
    def __init__(self, width, **more):
        super().__init__(**more)
        self.width = width
        self.inner = keras.layers.Dense(width)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, rows):
        return keras.ops.sigmoid(self.inner(rows))

    def get_config(self):
        return super().get_config() | {"width": self.width}


@keras.saving.register_keras_serializable("own")
class Forgetful(Gate):
    def __init__(self, width=3, factor=1.0, **more):
        super().__init__(width, **more)
        self.factor = factor

    def call(self, rows):
        return self.factor * super().call(rows)


def _made(input_shape, last, width=8, layer=None):
    inputs = keras.Input(input_shape)
    rows = (layer or Gate(width))(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, last(rows))


def build_model(input_shape, outputs, width=8):
    return _made(input_shape, keras.layers.Dense(outputs, activation="softmax"), width)


def sequential(outputs, task, names):
    assert task == "classification" and len(names) == outputs
    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(outputs, "softmax")])


def numbers(input_shape, outputs):
    return _made(input_shape, keras.layers.Dense(outputs))


def logits(input_shape, outputs):
    return numbers(input_shape, outputs)


def five(input_shape, outputs):
    return _made(input_shape, keras.layers.Dense(outputs, bias_initializer="ones"), layer=_Five())


class _Five(keras.layers.Layer):
    def call(self, rows):
        return 5.0 * keras.ops.ones_like(rows)


def too_many(input_shape, outputs):
    return numbers(input_shape, outputs + 1)


def forgets(input_shape, outputs):
    layer = Forgetful(factor=5.0)
    return _made(input_shape, keras.layers.Dense(outputs, activation="softmax"), layer=layer)


def hides_its_layer(input_shape, outputs):
    class Inside(Gate):
        pass

    last = keras.layers.Dense(outputs, activation="softmax")
    return _made(input_shape, last, layer=Inside(4))


def by_lambda(input_shape, outputs):
    layer = keras.layers.Lambda(lambda rows: rows * 2.0)
    return _made(input_shape, keras.layers.Dense(outputs, activation="softmax"), layer=layer)


def of_another_shape(outputs):
    inputs = keras.Input((7, 7))
    return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.Flatten()(inputs)))


def returns_nothing():
    build_model((4,), 2)


def returns_text():
    return "model"


def raises():
    raise ValueError("no weights in weights.h5")


def exits():
    raise SystemExit(0)


def needs(units):
    return units


def distance(targets, outputs, factor=1.0):
    return factor * keras.ops.mean(keras.ops.abs(targets - outputs), axis=-1)


class Distance(keras.losses.Loss):
    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def call(self, targets, outputs):
        return distance(targets, outputs, self.factor)


def one_for_all(targets, outputs):
    return keras.ops.mean(targets - outputs)


def of_targets_alone(targets):
    return targets


NUMBER = 3
"""


@pytest.fixture
def code(tmp_path: Path) -> Iterator[Path]:
    """A folder with modules, which Python finds as in a pod."""
    before, modules = list(sys.path), set(sys.modules)
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "own_models.py").write_text(MODELS)
    (folder / "own_broken.py").write_text("import keras\n\nkeras.nothing_like_it\n")
    (folder / "own_needing.py").write_text("import a_library_that_nobody_has\n")
    (folder / "tokenize.py").write_text("def build_model():\n    pass\n")
    bring(Code(uri=f"file://{folder}", sha256=artifact_sha256(folder)), {})
    yield folder
    sys.path[:] = before
    fetching._FOLDER.clear()
    for name in set(sys.modules) - modules:
        if name.startswith("own_"):
            del sys.modules[name]


THREE = Classes(("a", "b", "c"))


def task_of_target(target: Target, **training: Any) -> Task:
    trained_on = np.zeros((4, target.outputs), np.float32)
    trained_on[::2] = 1.0
    numbers = np.arange(4) % target.outputs if isinstance(target, Classes) else trained_on
    return task_of(target, Training.model_validate(training), numbers)


def scaling(shape: tuple[int, ...]) -> Scaling:
    rows = np.random.default_rng(0).normal(size=(16, *shape)).astype(np.float32)
    return scaling_of("standard", moments(whole(Resident(rows), np.zeros(16, np.int64)), False))


def made(entrypoint: str, target: Target = THREE, **custom: Any) -> keras.Model:
    shape = (4, 2)
    spec = Model.model_validate(
        {"architecture": "custom", "custom": {"entrypoint": f"own_models:{entrypoint}"} | custom}
    )
    return build(spec, Schema(shape, target), task_of_target(target), scaling(shape))


def refusal(entrypoint: str, **more: Any) -> str:
    with pytest.raises(InvalidSpec) as raised:
        made(entrypoint, **more)
    return str(raised.value)


@pytest.mark.usefixtures("code")
class TestModels:
    """What the function returns."""

    @pytest.mark.parametrize("entrypoint", ["build_model", "sequential"])
    def test_a_model_of_ones_own_answers_probabilities_of_raw_rows(self, entrypoint: str) -> None:
        model = made(entrypoint)
        answers = np.asarray(model(np.ones((5, 4, 2), np.float32)))

        assert answers.shape == (5, 3)
        np.testing.assert_allclose(answers.sum(axis=1), 1.0, atol=1e-5)

    def test_arguments_of_the_spec_reach_the_function(self) -> None:
        assert made("build_model", arguments={"width": 21}).count_params() == (
            8 * 21 + 21 + 21 * 3 + 3
        )

    def test_numbers_are_brought_into_the_unit_of_the_data(self) -> None:
        target = Quantities(("price",))
        task = task_of(target, Training(), np.array([[100.0], [300.0]]))
        spec = Model.model_validate(
            {"architecture": "custom", "custom": {"entrypoint": "own_models:numbers"}}
        )
        model = build(spec, Schema((4, 2), target), task, scaling((4, 2)))
        model.layers[-2].set_weights([np.zeros_like(each) for each in model.layers[-2].weights])

        np.testing.assert_allclose(np.asarray(model(np.ones((2, 4, 2)))), 200.0)

    def test_it_may_take_rows_as_they_are_encoded(self) -> None:
        model = made("build_model", input="encoded")

        assert [layer.name for layer in model.layers if "scal" in layer.name] == []

    def test_a_model_is_kept_with_layers_of_ones_own(self, tmp_path: Path) -> None:
        model = made("build_model")
        model.save(tmp_path / "model.keras")
        again = keras.models.load_model(tmp_path / "model.keras")
        rows = np.random.default_rng(1).normal(size=(3, 4, 2))

        np.testing.assert_allclose(again.predict(rows, verbose=0), model.predict(rows, verbose=0))

    @pytest.mark.parametrize(
        ("entrypoint", "said"),
        [
            ("logits", r'probabilities of its classes; end the model with activation="softmax"'),
            ("too_many", r"answers \('batch', 4\).* need \(batch, 3\): a, b, c"),
            ("of_another_shape", r"does not take rows of shape \(4, 2\)"),
            ("forgets", r"answers otherwise when it was written and read again; register each"),
            (
                "hides_its_layer",
                r"written to a file and read .*Could not locate class 'Inside'.*top of a module",
            ),
            ("by_lambda", r"cannot be written to a file and read again .*no Lambda layers"),
            ("returns_nothing", r"returns nothing, and not a keras.Model; let it return the model"),
            ("returns_text", r"returns str, and not a keras.Model"),
            ("raises", r"raised ValueError: no weights in weights.h5 \(at own_models.py:\d+ in "),
            ("exits", r"raised SystemExit: 0 \(at own_models.py:\d+ in exits\)"),
            ("needs", r"needs the argument units; set spec.model.custom.arguments.units"),
            ("absent", r"own_models \(.*own_models.py\) has no absent; it has: .*build_model"),
            ("NUMBER", r"own_models:NUMBER is no function, but int"),
        ],
    )
    def test_what_is_wrong_is_told_with_the_cure(self, entrypoint: str, said: str) -> None:
        told = refusal(entrypoint)
        assert told.startswith("spec.model.custom.")
        assert re.search(said, told), told

    def test_an_argument_that_is_not_there_is_told_with_those_that_are(self) -> None:
        assert "has no argument units; it takes: width" in refusal(
            "build_model", arguments={"units": 3}
        )

    def test_several_labels_need_probabilities(self) -> None:
        told = refusal("five", target=SeveralLabels(("x", "y")))
        assert 'a probability each; end the model with activation="sigmoid"' in told

    def test_penalties_are_for_the_function_to_make(self) -> None:
        spec = {
            "architecture": "custom",
            "custom": {"entrypoint": "own_models:build_model"},
            "regularization": {"dropout": 0.5},
        }
        target = Classes(("a", "b"))
        with pytest.raises(InvalidSpec, match=r"regularization.*by spec.model.custom.arguments"):
            build(
                Model.model_validate(spec),
                Schema((4,), target),
                task_of_target(target),
                scaling((4,)),
            )


def loading_refused(name: str) -> str:
    with pytest.raises(InvalidSpec) as raised:
        EntryPoint("spec.model.custom.entrypoint", name, "spec.model.custom.arguments").load()
    return str(raised.value)


@pytest.mark.usefixtures("code")
class TestModules:
    """Where the function is."""

    def test_a_module_that_is_not_there_is_told_with_those_that_are(self) -> None:
        told = loading_refused("own_modles:build_model")
        assert "there is no module own_modles; spec.code has: own_broken, own_models" in told

    def test_a_module_that_raises_is_told_with_the_line(self) -> None:
        told = loading_refused("own_broken:build_model")
        assert re.search(
            r"importing own_broken raised AttributeError: .* \(at own_broken.py:3 in", told
        )

    def test_a_library_that_is_missing_belongs_into_the_image(self) -> None:
        told = loading_refused("own_needing:build_model")
        assert (
            "needs a_library_that_nobody_has, which is not installed (at own_needing.py:1" in told
        )
        assert "build an image with it for spec.workers.image" in told

    def test_a_module_with_the_name_of_another_is_told(self) -> None:
        assert "tokenize is already the name of another module" in loading_refused(
            "tokenize:build_model"
        )


@pytest.mark.usefixtures("code")
class TestLosses:
    """`spec.training.loss`."""

    @pytest.mark.parametrize("name", ["distance", "Distance"])
    def test_a_loss_of_ones_own_gives_a_number_for_each_row(self, name: str) -> None:
        task = task_of_target(
            Classes(("a", "b")), loss=f"own_models:{name}", lossArguments={"factor": 3.0}
        )
        losses = task.losses(np.array([0, 1]), np.array([[0.5, 0.5], [0.0, 1.0]], np.float32))

        np.testing.assert_allclose(np.asarray(losses), [1.5, 0.0])

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            (
                "one_for_all",
                r"gives numbers of shape \(\) for \(3, 2\) targets, and not one for each",
            ),
            ("of_targets_alone", r"raised TypeError: .*takes 1 positional argument"),
            ("absent", "has no absent"),
        ],
    )
    def test_what_is_wrong_is_told(self, name: str, said: str) -> None:
        with pytest.raises(InvalidSpec, match=said):
            check_own_loss(Training(loss=f"own_models:{name}"), 2)

    def test_labels_are_smoothed_by_the_loss_itself(self) -> None:
        with pytest.raises(InvalidSpec, match="labelSmoothing: does not fit a loss of your own"):
            task_of_target(Classes(("a", "b")), loss="own_models:distance", labelSmoothing=0.1)


CALLBACKS = """
import keras


class Ends(keras.callbacks.Callback):
    def __init__(self, last):
        super().__init__()
        self.last = last
        self.seen = []

    def on_train_begin(self, logs=None):
        self.seen.append(("begin", self.params["epochs"]))

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append((epoch, logs["loss"]))
        if epoch == self.last:
            self.model.stop_training = True


class Fails(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        logs["nothing_like_it"]


class OfBatches(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        pass


def none():
    pass
"""


def callbacks(*wanted: dict[str, Any]) -> Callbacks:
    training = Training.model_validate({"callbacks": list(wanted)})
    return Callbacks(training.callbacks, Gang.alone())


class TestCallbacks:
    """`spec.training.callbacks`."""

    @pytest.fixture(autouse=True)
    def _written(self, code: Path) -> None:
        (code / "own_callbacks.py").write_text(CALLBACKS)

    def test_a_callback_ends_the_training(self) -> None:
        made = callbacks({"entrypoint": "own_callbacks:Ends", "arguments": {"last": 1}})
        made.begin(keras.Sequential([keras.layers.Dense(1)]), epochs=5, steps=2)

        assert [made.epoch_ends(epoch, {"loss": 0.5}) for epoch in (0, 1)] == [False, True]

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("OfBatches", "has on_train_batch_end, and many steps are one call of the graph here"),
            ("none", "is NoneType, and no keras.callbacks.Callback"),
            ("Ends", "needs the argument last; set spec.training.callbacks\\[0\\].arguments.last"),
        ],
    )
    def test_what_is_none_is_refused(self, name: str, said: str) -> None:
        with pytest.raises(InvalidSpec, match=said):
            callbacks({"entrypoint": f"own_callbacks:{name}"})

    def test_one_that_raises_is_told_with_its_line(self) -> None:
        made = callbacks({"entrypoint": "own_callbacks:Fails"})
        made.begin(keras.Sequential([keras.layers.Dense(1)]), epochs=5, steps=2)

        with pytest.raises(
            InvalidSpec, match=r"raised KeyError: .*own_callbacks.py:\d+ in on_epoch"
        ):
            made.epoch_ends(0, {"loss": 0.5})


def archive(folder: Path, name: str, *, within: str = "") -> Path:
    path = folder / name
    module = folder / "packed_module.py"
    module.write_text("def build_model():\n    return 7\n")
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as packed:
            packed.write(module, f"{within}packed_module.py")
    else:
        with tarfile.open(path, "w:gz") as packed_tar:
            packed_tar.add(module, f"{within}packed_module.py")
    return path


@pytest.fixture
def forgotten() -> Iterator[None]:
    before = list(sys.path)
    yield
    sys.path[:] = before
    sys.modules.pop("packed_module", None)
    fetching._FOLDER.clear()


@pytest.mark.usefixtures("forgotten")
class TestBringing:
    """`spec.code`."""

    @pytest.mark.parametrize("name", ["code.zip", "code.tar.gz"])
    @pytest.mark.parametrize("within", ["", "project/"])
    def test_archives_are_unpacked_and_found(self, name: str, within: str, tmp_path: Path) -> None:
        path = archive(tmp_path, name, within=within)
        bring(Code(uri=f"file://{path}", sha256=artifact_sha256(path)), {})

        assert EntryPoint("field", "packed_module:build_model", "arguments").call({}) == 7

    def test_a_config_map_is_where_it_is_mounted(self, tmp_path: Path) -> None:
        path = archive(tmp_path, "code.zip")
        code = Code(uri="configmap://job-code-1/code.zip", sha256=artifact_sha256(path))
        bring(code, {environment.CODE: str(tmp_path)})

        assert EntryPoint("field", "packed_module:build_model", "arguments").call({}) == 7

    def test_other_code_is_not_run(self, tmp_path: Path) -> None:
        path = archive(tmp_path, "code.zip")
        with pytest.raises(
            InvalidSpec, match=r"spec.code.sha256: .* and not 0{64}: it is other code"
        ):
            bring(Code(uri=f"file://{path}", sha256="0" * 64), {})
        assert fetching.folder() is None

    @pytest.mark.parametrize(
        ("uri", "said"),
        [
            ("file:///nowhere/code.zip", "spec.code.uri: nothing is at /nowhere/code.zip"),
            ("configmap://job-code-1/code.zip", "ConfigMap job-code-1 has no key code.zip"),
            ("s3://", "spec.code.uri|spec.data.source.secretRef"),
        ],
    )
    def test_what_is_not_there_is_told(self, uri: str, said: str) -> None:
        with pytest.raises(InvalidSpec, match=said):
            bring(Code.model_construct(uri=uri, sha256="0" * 64), {})

    def test_what_is_no_archive_is_told(self, tmp_path: Path) -> None:
        path = tmp_path / "code.py"
        path.write_text("def build_model(): ...")
        with pytest.raises(InvalidSpec, match=r"code.py is no .zip or .tar.gz archive"):
            bring(Code(uri=f"file://{path}", sha256=artifact_sha256(path)), {})

    def test_an_archive_does_not_write_outside(self, tmp_path: Path) -> None:
        path = tmp_path / "code.tar.gz"
        module = tmp_path / "evil.py"
        module.write_text("")
        with tarfile.open(path, "w:gz") as packed:
            packed.add(module, "../../evil.py")
        with pytest.raises(InvalidSpec, match="cannot be unpacked"):
            bring(Code(uri=f"file://{path}", sha256=artifact_sha256(path)), {})


def test_code_that_hangs_is_ended_where_it_stands() -> None:
    ended: list[InvalidSpec] = []

    def hang() -> None:
        while not ended:
            time.sleep(0.01)

    with within_reason("spec.model.custom.entrypoint: models:build", 0.1, ended.append):
        hang()

    assert re.search(
        r"models:build has not come back after 0 s \(at .*test_own_code.py:\d+ in hang\)",
        str(ended[0]),
    )


def test_code_that_comes_back_is_not_ended() -> None:
    ended: list[InvalidSpec] = []
    with within_reason("it", 0.05, ended.append):
        pass
    time.sleep(0.15)

    assert not ended
