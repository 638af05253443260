"""A model of the author's own, by a function that returns it."""

from __future__ import annotations

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from trainyard_api.listing import listed
from trainyard_api.spec import Model, Regularization
from trainyard_api.spec.model import Custom
from trainyard_trainer.data.schema import Schema
from trainyard_trainer.errors import InvalidSpec
from trainyard_trainer.models.inputs import of_rows
from trainyard_trainer.models.scaling import Scaling
from trainyard_trainer.own_code import EntryPoint
from trainyard_trainer.tasks import Task
from trainyard_trainer.tasks.task import Finishing

_FIELD: Final = "spec.model.custom.entrypoint"
_ARGUMENTS: Final = "spec.model.custom.arguments"
_ROWS: Final = 8
"""How many rows a model is tried with."""
_PROBE: Final = 0
"""Seed of those."""
_LONGEST: Final = 250
_NAMED: Final = 8


def check(spec: Model) -> None:
    """Make sure that nothing is asked for that the function has to do itself.

    Raises:
        InvalidSpec: it is.
    """
    if spec.custom is None:
        raise InvalidSpec('spec.model.custom: is required: entrypoint: "package.module:name"')
    if spec.regularization != Regularization():
        raise InvalidSpec(
            "spec.model.regularization: is of layers that Trainyard makes; with architecture "
            "custom the function makes them: leave it out, and hand values over by "
            f"{_ARGUMENTS}"
        )


def build(spec: Model, schema: Schema, task: Task, scaling: Scaling, inputs: Any) -> keras.Model:
    """The author's model between Trainyard's preprocessing and the finish of the task (back into
    the data's unit), both of which are inside of what is exported.

    Args:
        inputs: raw rows, float32 (batch, *schema.shape).

    Raises:
        InvalidSpec: the function does not return a model of these rows and answers, or one that
            cannot be kept.
    """
    assert isinstance(task, Finishing), "tasks without a finish are refused before"
    encoded = _custom(spec).input == "encoded"
    prepared = inputs if encoded else of_rows(schema, scaling, inputs)
    answer = _answer(spec, schema, task, prepared)
    model = keras.Model(inputs, task.finish(answer), name=spec.architecture)
    rows = _rows_like(model)
    told = f"{_FIELD}: {_entry(spec).name} returns a model that"
    own = keras.Model(inputs, answer)
    answers = np.asarray(_entry(spec).guarded(lambda: own(rows, training=False)), np.float32)
    if not np.isfinite(answers).all():
        raise InvalidSpec(f"{told} gives numbers that are not finite before any training")
    if why := task.why_no_answer(answers):
        raise InvalidSpec(f"{told} {why}")
    _make_sure_it_can_be_kept(told, model, rows)
    return model


def _answer(spec: Model, schema: Schema, task: Task, prepared: Any) -> Any:
    """What the author's model makes of prepared rows: (batch, outputs)."""
    entry, shape = _entry(spec), tuple(prepared.shape[1:])
    offered = {
        "input_shape": shape,
        "outputs": task.outputs,
        "task": schema.target.task,
        "names": list(schema.target.names),
    }
    made = entry.call(_custom(spec).arguments, offered)
    _make_sure_it_is_one(entry, made)
    told = f"{_FIELD}: {entry.name}"
    try:
        answer = made(prepared)
    except Exception as error:
        raise InvalidSpec(
            f"{told} returns a model that does not take rows of shape {shape} "
            f"({type(error).__name__}: {_first(error)}); make it by the argument input_shape"
        ) from error
    if tuple(getattr(answer, "shape", ())) != (None, task.outputs):
        names = listed(schema.target.names, _NAMED)
        raise InvalidSpec(
            f"{told} returns a model that answers {_shape_of(answer)}, and rows of this "
            f"{schema.target.task} need (batch, {task.outputs}): {names}; make "
            "its last layer by the argument outputs"
        )
    return answer


def _custom(spec: Model) -> Custom:
    assert spec.custom is not None, "checked before"
    return spec.custom


def _entry(spec: Model) -> EntryPoint:
    return EntryPoint(_FIELD, _custom(spec).entrypoint, _ARGUMENTS)


def _make_sure_it_is_one(entry: EntryPoint, made: Any) -> None:
    if isinstance(made, keras.layers.Layer):
        return
    kind, module = type(made).__name__, type(made).__module__
    if module.startswith(("tf_keras", "keras.src.legacy")):
        raise InvalidSpec(
            f"{_FIELD}: {entry.name} returns a model of tf_keras (Keras 2); build it by "
            "'import keras', which is Keras 3 here"
        )
    raise InvalidSpec(
        f"{_FIELD}: {entry.name} returns {kind if made is not None else 'nothing'}, and not a "
        "keras.Model; let it return the model"
    )


def _make_sure_it_can_be_kept(told: str, model: keras.Model, rows: NDArray[np.float32]) -> None:
    """Write its configuration and read it again, as the .keras file will."""
    cure = (
        "register each layer of your own by @keras.saving.register_keras_serializable() at the top "
        "of a module, give it a get_config with all arguments of its __init__, and use no Lambda "
        "layers"
    )
    try:
        again = type(model).from_config(model.get_config())
        again.set_weights(model.get_weights())
        same = np.allclose(model(rows, training=False), again(rows, training=False), atol=1e-4)
    except Exception as error:
        cause = _cause(error)
        raise InvalidSpec(
            f"{told} cannot be written to a file and read again ({type(cause).__name__}: "
            f"{_first(cause)}); {cure}"
        ) from error
    if not same:
        raise InvalidSpec(f"{told} answers otherwise when it was written and read again; {cure}")


def _rows_like(model: keras.Model) -> NDArray[np.float32]:
    """Rows of the model's shape, of numbers that any code of a category or a word may be."""
    shape = (_ROWS, *model.inputs[0].shape[1:])
    return np.random.default_rng(_PROBE).integers(0, 2, shape).astype(np.float32)


def _shape_of(answer: Any) -> str:
    if isinstance(answer, (list, tuple)):
        return f"{len(answer)} tensors"
    if isinstance(answer, dict):
        return f"tensors by name ({', '.join(map(str, answer))})"
    return str(tuple("batch" if width is None else width for width in answer.shape))


def _cause(error: BaseException) -> BaseException:
    """What Keras has met first, before it told what it was doing."""
    before = error.__cause__ or error.__context__
    return error if before is None else _cause(before)


def _first(error: BaseException) -> str:
    """The beginning of what Keras says; it goes on with the arguments received."""
    text = str(error).strip() or "without a word"
    return " ".join(text.split())[:_LONGEST]
