"""`python -m trainyard_serving fetch`: brings a model from a bucket to this pod's disk.

An init container runs it, so that the server starts with a local file, and holds neither the
credentials nor the client of the store.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from trainyard_api import environment
from trainyard_api.bucket_refusals import is_lasting, refusal, sentence
from trainyard_api.buckets import WrongCredentials, open_bucket, split
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import FailureReason
from trainyard_serving.settings import InvalidSettings

_CHUNK = 8 * 1024 * 1024
_FIELD = "spec.storage"


class NotFetched(Exception):
    """The model is not here; the message says why and what to do."""

    reason: ClassVar[FailureReason] = "StoreUnavailable"
    exit_code: ClassVar[ExitCode] = ExitCode.STORE_UNAVAILABLE


class RefusedForGood(NotFetched):
    """The store refuses, and would refuse again."""

    reason = "InvalidSpec"
    exit_code = ExitCode.INVALID


class WrongModel(NotFetched):
    """What is at the address has another digest than the one that was announced."""

    reason = "ModelRejected"
    exit_code = ExitCode.INVALID


def fetch(environ: Mapping[str, str]) -> Path:
    """Copy the model to the file that the environment names, after its digest was checked.

    Raises:
        InvalidSettings: a variable is missing.
        NotFetched: the store refuses, or has another model there.
    """
    required = (environment.MODEL_URI, environment.MODEL_SHA256, environment.MODEL_FILE)
    if missing := [name for name in required if not environ.get(name)]:
        raise InvalidSettings(f"set {', '.join(missing)}")
    uri, sha256, path = (environ[name] for name in required)
    target = Path(path)
    # Beside the target: the server never sees half a model.
    partial = target.with_name(f".{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        found = _download(uri, environ, partial)
    except OSError as error:
        raise NotFetched(f"{target} cannot be written ({error.strerror})") from error
    if found != sha256.lower():
        partial.unlink()
        raise WrongModel(f"{uri} has sha256 {found}, not {sha256}: it was not loaded")
    partial.replace(target)
    return target


def _download(uri: str, environ: Mapping[str, str], target: Path) -> str:
    """Copy an object to the disk in pieces; the sha256 of what was written."""
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for piece in _pieces(uri, environ):
            digest.update(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _pieces(uri: str, environ: Mapping[str, str]) -> Iterator[bytes]:
    from obstore.exceptions import BaseError

    try:
        bucket = open_bucket(uri, environ)
        yield from map(bytes, bucket.get(split(uri)[1]).stream(min_chunk_size=_CHUNK))
    except WrongCredentials as error:
        raise RefusedForGood(f"{_FIELD}.secretRef: {uri}: {error}") from None
    # What is not there is told by an error of Python.
    except (BaseError, FileNotFoundError) as error:
        refused = refusal(error)
        kind = RefusedForGood if is_lasting(refused) else NotFetched
        raise kind(sentence(refused, uri, _FIELD, "read")) from None
