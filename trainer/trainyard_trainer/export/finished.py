"""What an attempt has reported, kept in the store for a restart that comes after it."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from trainyard_api.results import TrainResult
from trainyard_trainer.errors import TrainerError
from trainyard_trainer.store import Store, guarded, publish, verify

_log = logging.getLogger(__name__)


def keep_result(result: TrainResult, store: Store) -> None:
    """Keep what is about to be reported, for a restart that comes before the report is read.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    publish(store.result, lambda path: path.write_text(result.model_dump_json()))


def finished_result(store: Store) -> TrainResult | None:
    """What an earlier attempt of this run has already brought to its end, if its models are whole.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    with guarded(store.result, "read"):
        if not store.result.exists():
            return None
        text = store.result.read_text()
    try:
        result = TrainResult.model_validate_json(text)
        verify(store.saved_model, result.model.sha256)
        if result.keras is not None:
            verify(store.keras_model, result.keras.sha256)
        if result.prepared is not None:
            verify(store.prepared, result.prepared.sha256)
    except (ValidationError, TrainerError) as error:
        _log.warning("the earlier attempt's result is not used: %s", error)
        return None
    return result
