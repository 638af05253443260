"""Environment variables by which the operator tells a pod what to do.

Pods need no token and no ConfigMap: the whole resolved spec travels in one variable.
"""

from __future__ import annotations

from typing import Final

JOB: Final = "TRAINYARD_JOB"
"""Name of the job."""
NAMESPACE: Final = "TRAINYARD_NAMESPACE"
RUN: Final = "TRAINYARD_RUN"
"""Id of the run, for example 1-5f3a9c."""
ATTEMPT: Final = "TRAINYARD_ATTEMPT"
SPEC: Final = "TRAINYARD_SPEC"
"""The job's spec as JSON, defaults filled in."""
STORAGE: Final = "TRAINYARD_STORAGE"
"""URI of the run's folder: checkpoints, models and reports are below it."""
MODEL_URI: Final = "TRAINYARD_MODEL_URI"
"""URI of the model to compress (a SavedModel's folder) or to serve (a .tflite file)."""
MODEL_SHA256: Final = "TRAINYARD_MODEL_SHA256"
"""Digest that the model at MODEL_URI must have."""
PREPARED_URI: Final = "TRAINYARD_PREPARED_URI"
"""URI of the prepared data that the stage goes by (a folder)."""
PREPARED_SHA256: Final = "TRAINYARD_PREPARED_SHA256"
"""Digest that the folder at PREPARED_URI must have."""
MODEL_NAME: Final = "TRAINYARD_MODEL_NAME"
"""Name under which a serving pod answers."""
MODEL_FILE: Final = "TRAINYARD_MODEL_FILE"
"""File that a model is fetched to, from a store that has no path in the pod."""
VOLUMES: Final = "TRAINYARD_VOLUMES"
"""Folder below which claims are mounted, if it is not the default."""
CODE: Final = "TRAINYARD_CODE"
"""Folder that a ConfigMap with the job's own code is mounted at, if it is not the default."""
TERMINATION_LOG: Final = "TRAINYARD_TERMINATION_LOG"
"""File that takes the termination message, if it is not the default."""
HOST: Final = "TRAINYARD_HOST"
"""Address to listen on; default all, of IPv4 and of IPv6."""
PORT: Final = "TRAINYARD_PORT"
"""Port to listen on: progress and metrics in trainer pods, the protocol in serving pods."""
TF_CONFIG: Final = "TF_CONFIG"
"""TensorFlow's own: the address of every worker, and which of them this one is."""
PEERS: Final = "TRAINYARD_PEERS"
"""The same in a few bytes, for Trainyard's trainer (see trainyard_api.peers)."""
OF_DATA: Final = "TRAINYARD_DATA_"
"""What the variables of the data's Secret begin with where the store has credentials of its own:
TRAINYARD_DATA_AWS_ACCESS_KEY_ID."""
