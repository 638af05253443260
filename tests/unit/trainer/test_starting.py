"""What a stage begins with."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trainyard_trainer.starting import meanwhile


def loaded(program: str) -> set[str]:
    """Which of some libraries a program has loaded at its end."""
    wanted = ["numpy", "tensorflow", "keras", "sklearn", "pandas", "pyarrow", "PIL", "obstore"]
    program += f"\nimport sys; print(*(name for name in {wanted} if sys.modules.get(name)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_no_library_starts_threads_before_sigterm_is_blocked_in_them() -> None:
    assert loaded("import trainyard_trainer.__main__") == set()


def test_data_of_arrays_needs_no_library_of_other_formats() -> None:
    assert loaded("from trainyard_trainer.data import load") <= {"numpy"}


@pytest.mark.parametrize(("uri", "comes"), [("file:///x.npz", False), ("sklearn://iris", True)])
def test_scikit_learn_comes_with_keras_where_the_data_needs_it(uri: str, comes: bool) -> None:
    program = (
        "from trainyard_api.spec import Data\n"
        "from trainyard_trainer.starting import import_keras\n"
        f"import_keras(Data.model_validate({{'source': {{'uri': {uri!r}}}}}))\n"
    )
    assert ("sklearn" in loaded(program)) is comes
    assert loaded(f"{program}from sklearn import datasets") >= {"keras", "sklearn"}


def test_what_work_raises_waiting_raises() -> None:
    def refuse() -> int:
        raise ValueError("no")

    assert meanwhile(lambda: 7)() == 7
    with pytest.raises(ValueError, match="no"):
        meanwhile(refuse)()
