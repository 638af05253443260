"""Any number of workers learn the same, whatever is learned and however often they are stopped.

A few families here; all of them by `make families`.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from tests.processes.test_training import Start, gang
from tests.unit.trainer.families import FAMILIES
from trainyard_api.exit_codes import ExitCode

__all__ = ["gang"]

pytestmark = pytest.mark.processes

ALL: Final = "TRAINYARD_ALL_FAMILIES"
_SHORT: Final = ("residual", "gru of texts", "labels", "lstm of windows")
NAMES: Final = list(FAMILIES) if os.environ.get(ALL) else list(_SHORT)
_EPOCHS: Final = 30


def spec(name: str, folder: Path, replicas: int) -> dict[str, Any]:
    """Of small steps, which do not blow up what is mere rounding."""
    family = FAMILIES[name]
    made = family.spec(
        folder,
        epochs=_EPOCHS,
        batchSize=24,
        stepsPerExecution=1,
        optimizer={"name": "sgd", "learningRate": 0.01, "arguments": {"momentum": 0.9}},
        checkpoint={"everySteps": 5},
    )
    normalized = {"batchNormalization": True, "synchronizedBatchNormalization": "always"}
    model = {**family.model, "regularization": normalized if family.normalizes else {}}
    return made | {"model": model, "workers": {"replicas": replicas}}


@pytest.mark.parametrize("name", NAMES)
def test_workers_that_are_killed_and_stopped_learn_what_one_does(
    name: str, gang: Start, tmp_path: Path
) -> None:
    one = gang(spec(name, tmp_path, 1), name="one")
    assert one.codes() == [0], one.log()

    three = gang(spec(name, tmp_path, 3), name="many")
    three.wait_until(lambda: bool(three.checkpoints()))
    three.processes[1].kill()
    assert set(three.codes()) == {ExitCode.PEER_LOST, -signal.SIGKILL}, three.log()
    killed_at = three.checkpoints()[-1]

    two = gang(spec(name, tmp_path, 2), name="many", attempt=2)
    two.wait_until(lambda: two.checkpoints()[-1] > killed_at)
    two.processes[1].terminate()
    assert two.codes() == [ExitCode.SAVED, ExitCode.SAVED], two.log()
    stopped_at = two.checkpoints()[-1]

    again = gang(spec(name, tmp_path, 3), name="many", attempt=3)
    assert again.codes() == [0, 0, 0], again.log()
    assert killed_at < again.result().resumedFromStep == stopped_at < again.result().steps
    assert again.result().steps == one.result().steps
    for alone, together in zip(one.weights(), again.weights(), strict=True):
        np.testing.assert_allclose(together, alone, rtol=1e-3, atol=1e-4)
