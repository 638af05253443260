"""Data sets that come with scikit-learn, and those that Keras downloads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from trainyard_trainer.data.source import FIELD, Arrays, PartName
from trainyard_trainer.errors import InvalidData, StoreUnavailable

KERAS: Final = ("mnist", "fashion_mnist", "cifar10", "cifar100")


def read_sklearn(name: str) -> dict[PartName, Arrays]:
    """A data set of scikit-learn; digits come as images of 8 by 8 pixels from 0 to 16.

    Raises:
        InvalidData: no data set of that name is known.
    """
    from sklearn import datasets

    readers: dict[str, Callable[[], Any]] = {
        "digits": datasets.load_digits,
        "wine": datasets.load_wine,
        "breast_cancer": datasets.load_breast_cancer,
        "iris": datasets.load_iris,
        "diabetes": partial(datasets.load_diabetes, scaled=False),
    }
    if name not in readers:
        raise _unknown("sklearn", name, tuple(readers))
    bunch = readers[name]()
    features = bunch.images if name == "digits" else bunch.data
    return {"train": Arrays(features, bunch.target, f"sklearn://{name}")}


def read_keras(name: str) -> dict[PartName, Arrays]:
    """A data set of Keras, from its cache or from the internet.

    Raises:
        InvalidData: no data set of that name is known.
        StoreUnavailable: it cannot be downloaded.
    """
    if name not in KERAS:
        raise _unknown("keras", name, KERAS)
    import keras

    uri = f"keras://{name}"
    try:
        (x, y), (x_test, y_test) = getattr(keras.datasets, name).load_data()
    # Keras raises a plain Exception where a download fails.
    except Exception as error:
        raise StoreUnavailable(
            f"{FIELD}: {uri} cannot be downloaded from here ({error}); get the data where there is "
            "internet (`trainyard data get` has mnist and fashion-mnist), and name the folder: "
            "pvc://CLAIM/PATH or file:///PATH"
        ) from error
    return {
        "train": Arrays(np.asarray(x), y, uri),
        "test": Arrays(np.asarray(x_test), y_test, uri),
    }


def _unknown(scheme: str, name: str, known: tuple[str, ...]) -> InvalidData:
    listed = ", ".join(f"{scheme}://{each}" for each in known)
    return InvalidData(f"{FIELD}: {scheme}://{name} is not known; use one of: {listed}")
