"""What an attempt has reported, kept in the store for a restart that comes after it."""

from __future__ import annotations

import logging

from pydantic import ValidationError

from trainyard_api.results import TrainResult
from trainyard_trainer.errors import TrainerError
from trainyard_trainer.store import Store

_log = logging.getLogger(__name__)


def keep_result(result: TrainResult, store: Store) -> None:
    """Keep what is about to be reported, for a restart that comes before the report is read.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    store.result.publish(lambda path: path.write_text(result.model_dump_json()))


def finished_result(store: Store) -> TrainResult | None:
    """What an earlier attempt of this run has already brought to its end, if its models are whole.

    Raises:
        StoreUnavailable: the disk refuses.
    """
    content = store.result.read()
    if content is None:
        return None
    try:
        result = TrainResult.model_validate_json(content)
        store.saved_model.verify(result.model.sha256)
        if result.keras is not None:
            store.keras_model.verify(result.keras.sha256)
        if result.prepared is not None:
            store.prepared.verify(result.prepared.sha256)
    except (ValidationError, TrainerError) as error:
        _log.warning("the earlier attempt's result is not used: %s", error)
        return None
    return result
