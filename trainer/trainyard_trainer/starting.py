"""What a stage begins with: TensorFlow's import takes seconds, in which data can be read."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Final, TypeVar

from trainyard_api.locations import scheme
from trainyard_api.spec import Data

_Result = TypeVar("_Result")
_SKLEARN: Final = "sklearn"


def meanwhile(work: Callable[[], _Result]) -> Callable[[], _Result]:
    """Begin to do some work in a thread; what is returned waits for it.

    What the work raises, waiting raises. The thread keeps no process alive.
    """
    done: Future[_Result] = Future()

    def run() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    Thread(target=run, name="reading", daemon=True).start()
    return done.result


def import_keras(data: Data) -> None:
    """Import Keras, and scikit-learn with it only where the data needs it.

    Keras imports scikit-learn where it is installed, for wrappers that nobody uses here: a second
    of the six that it takes. For the time of the import it is said not to be there.
    """
    if _SKLEARN in sys.modules or _needs_sklearn(data):
        importlib.import_module("keras")
        return
    sys.modules[_SKLEARN] = None  # type: ignore[assignment]
    try:
        importlib.import_module("keras")
    finally:
        del sys.modules[_SKLEARN]


def _needs_sklearn(data: Data) -> bool:
    cleaning = data.cleaning
    return (
        scheme(data.source.uri) == _SKLEARN
        or data.generation is not None
        or (cleaning is not None and (cleaning.outliers or cleaning.labelErrors) is not None)
    )
