"""From `spec.data` to checked parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trainyard_api.spec import Cleaning, Data
from trainyard_trainer.data.cleaning import clean
from trainyard_trainer.data.dataset import Dataset
from trainyard_trainer.data.opening import open_source
from trainyard_trainer.data.reading import Reading, Say, silent


def load(data: Data, environ: Mapping[str, str], say: Say = silent) -> Dataset:
    """The examples that `data` names, checked and divided; the same for every caller.

    Args:
        environ: the pod's environment, which says where claims are mounted.
        say: is told how far the reading is.

    Raises:
        InvalidData: they are not there, or cannot be learned from.
        StoreUnavailable: the volume, the bucket or a data set's host is away.
    """
    reading = Reading(data, environ, say)
    dataset = open_source(reading)
    told = replace(dataset, notes=(*reading.notes, *reading.bad.notes(), *dataset.notes))
    return clean(told, data.cleaning or Cleaning(), data.split.seed, say)
