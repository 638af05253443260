"""The Secrets of a job's data and store, as environment of the pods that read them."""

from __future__ import annotations

from trainyard_api import environment, locations
from trainyard_api.buckets import SCHEMES
from trainyard_api.spec import TrainingJob
from trainyard_operator.brain.plan import Manifest


def store_variables(job: TrainingJob) -> list[Manifest]:
    """The store's Secret, for pods that read or write the store."""
    storage = job.spec.storage
    if storage is None or storage.secretRef is None:
        return []
    return [{"secretRef": {"name": storage.secretRef.name}}]


def trainer_variables(job: TrainingJob, storage_uri: str) -> list[Manifest]:
    """The Secrets of store and data, for pods that need both.

    Where the store is a bucket with other credentials, the data's variables get a prefix of their
    own, so that neither half of one key meets half of the other.
    """
    of_store = store_variables(job)
    data = job.spec.data.source.secretRef
    if data is None:
        return of_store
    of_data: Manifest = {"secretRef": {"name": data.name}}
    if of_data in of_store:
        return of_store
    if locations.scheme(storage_uri) in SCHEMES:
        of_data["prefix"] = environment.OF_DATA
    return [*of_store, of_data]
