"""The workers that train together, and what they can do as one."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from trainyard_api.exit_codes import ExitCode
from trainyard_trainer.errors import InvalidSpec, PeerLost
from trainyard_trainer.pod import Pod
from trainyard_trainer.training.gang import rendezvous
from trainyard_trainer.training.gang.deadline import ends_after

_log = logging.getLogger(__name__)

START_SECONDS = 120.0
"""Longer than TensorFlow takes to start where all are there, also with many GPUs."""
_PEER_ERRORS: Final = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.DeadlineExceededError,
    tf.errors.CancelledError,
)
_PEER_WORDS: Final = (
    "Collective ops is aborted",
    "Connection reset",
    "Socket closed",
    "heartbeat",
    "coordination service",
)


class Gang:
    """All workers of the job, seen from one of them.

    What is called here must be called by all workers in the same order: each call waits for
    the others.
    """

    def __init__(self, strategy: tf.distribute.Strategy, workers: int, index: int) -> None:
        """Args:
        strategy: the one that all workers share.
        workers: how many there are.
        index: of this one; 0 is the chief.
        """
        self.strategy = strategy
        self.replicas: int = strategy.num_replicas_in_sync
        self.workers = workers
        self._index = index
        self._local = self.replicas // workers
        self._reduce = tf.function(self._sum_in_graph)

    @classmethod
    def alone(cls) -> Gang:
        """A gang of this process, without a pod: it trains on what devices there are."""
        return cls(_strategy_of_one(len(_shared_gpus())), 1, 0)

    @classmethod
    def assemble(cls, pod: Pod, say: Callable[[str], None]) -> Gang:
        """Wait until all workers are there. No TensorFlow operation may run before.

        Args:
            say: is told, in words for people, who is waited for.

        Raises:
            InvalidSpec: nccl without GPUs.
            ProgramFailed: the chief cannot listen on its address.
            PeerLost: a worker vanished meanwhile. One that vanishes inside TensorFlow's own start
                ends this process with the exit code of it, see `ends_after`.
        """
        gpus = _shared_gpus()
        if pod.spec.workers.communication == "nccl" and not gpus:
            raise InvalidSpec(
                "spec.workers.communication: nccl needs GPUs, and this pod has none; "
                "use auto or ring, or ask for nvidia.com/gpu in spec.workers.resources"
            )
        if pod.count == 1:
            return cls(_strategy(pod, len(gpus)), pod.count, pod.index)
        rendezvous.meet(pod, say)
        _log.info(
            "all %d workers are there; should one vanish before TensorFlow has started in each, "
            "this one ends with exit code %d within %.0f s",
            pod.count,
            ExitCode.PEER_LOST,
            START_SECONDS,
        )
        with peers_may_vanish(pod), ends_after(START_SECONDS, ExitCode.PEER_LOST):
            return cls(_strategy(pod, len(gpus)), pod.count, pod.index)

    def sum(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """The sum of all workers' arrays, each in its own type.

        Raises:
            tf.errors.OpError: a worker vanished (see `peers_may_vanish`).
        """
        # float64 holds whole numbers up to 2**53 exactly; not every integer type can be reduced.
        tensors = [
            tf.constant(v, tf.float32 if v.dtype == np.float32 else tf.float64) for v in values
        ]
        return [
            np.asarray(total.numpy()).astype(value.dtype)
            for total, value in zip(self._reduce(tensors), values, strict=True)
        ]

    def from_chief(self, values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """The chief's arrays, on all workers; shapes and types must be equal everywhere."""
        mine = [v if self._index == 0 else np.zeros_like(v) for v in values]
        return self.sum(mine)

    def barrier(self) -> None:
        """Wait until all workers are here."""
        self.sum([np.zeros(1, np.float32)])

    def columns(self, width: int) -> slice:
        """Those of a batch's columns that this worker's replicas take.

        Args:
            width: of the batch of all workers; the replicas share it evenly.
        """
        own = width // self.workers
        return slice(self._index * own, (self._index + 1) * own)

    def own_columns(self, values: tf.Tensor) -> tf.Tensor:
        """Inside a replica: its share of what its worker was fed."""
        if self._local == 1:
            return values
        width = tf.shape(values)[0] // self._local
        place = _replica() % self._local
        return values[place * width : (place + 1) * width]

    def in_place(self, values: tf.Tensor) -> tf.Tensor:
        """Inside a replica: its rows of two dimensions where they stand in the whole batch, zeros
        in the other replicas' places.
        """
        width = tf.shape(values)[0]
        before = _replica() * width
        return tf.pad(values, [[before, (self.replicas - 1) * width - before], [0, 0]])

    def sum_gradients(self, gradients: Sequence[tf.Tensor | None]) -> list[tf.Tensor | None]:
        """Inside a replica: the sum over all replicas, in one reduction.

        Those of embeddings come row by row, some rows more than once. Optimizers would take the
        squares of such parts, not the square of their sum, so they are summed first.
        """
        known = [
            tf.convert_to_tensor(gradient) if isinstance(gradient, tf.IndexedSlices) else gradient
            for gradient in gradients
            if gradient is not None
        ]
        if self.replicas > 1 and known:
            context = tf.distribute.get_replica_context()
            known = list(context.all_reduce(tf.distribute.ReduceOp.SUM, known))
        reduced = iter(known)
        return [None if gradient is None else next(reduced) for gradient in gradients]

    def average(self, variables: Sequence[keras.Variable]) -> None:
        """Inside a graph: give each replica's copy of the variables the mean of all copies, in one
        reduction.

        Moving averages that each replica has taken of its own rows become those of all rows: the
        mean of averages is the average of means, however many steps lie between.
        """
        if self.replicas > 1 and variables:
            self.strategy.run(self._average, args=(list(variables),))

    def _average(self, variables: list[keras.Variable]) -> None:
        context = tf.distribute.get_replica_context()
        # Read here, so that the values lie on the replica's device.
        own = [tf.identity(variable.value) for variable in variables]
        values = context.all_reduce(tf.distribute.ReduceOp.MEAN, own)
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def sum_over_replicas(self, value: tf.Tensor) -> tf.Tensor:
        """Inside a graph: the sum over all workers of a tensor that each has once."""
        return self.strategy.reduce(
            tf.distribute.ReduceOp.SUM, self.strategy.run(self._once, args=(value,)), axis=None
        )

    def _once(self, value: tf.Tensor) -> tf.Tensor:
        """The value in this worker's first replica, zeros in its others."""
        return tf.where(_replica() % self._local == 0, value, tf.zeros_like(value))

    def _sum_in_graph(self, values: list[tf.Tensor]) -> list[tf.Tensor]:
        return [self.sum_over_replicas(value) for value in values]


@contextmanager
def peers_may_vanish(pod: Pod) -> Iterator[None]:
    """Turn what TensorFlow raises when another worker vanishes into PeerLost."""
    try:
        yield
    except tf.errors.OpError as error:
        if pod.count == 1 or not _is_about_a_peer(error):
            raise
        raise PeerLost(f"another worker vanished ({_essence(error)})") from error


def _is_about_a_peer(error: tf.errors.OpError) -> bool:
    text = error.message.lower()
    return isinstance(error, _PEER_ERRORS) or any(word.lower() in text for word in _PEER_WORDS)


def _essence(error: tf.errors.OpError) -> str:
    """What of TensorFlow's message says why: the lines before it are of the graph's origin."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    telling = [i for i, line in enumerate(lines) if _PEER_WORDS[0] in line]
    first = telling[0] if telling else 0
    return f"{type(error).__name__}: {' '.join(lines[first : first + 2])[:400]}"


def _replica() -> tf.Tensor:
    """Inside a replica: its number among those of all workers."""
    return tf.distribute.get_replica_context().replica_id_in_sync_group


def _shared_gpus() -> list[tf.config.PhysicalDevice]:
    """The GPUs, of which TensorFlow takes what it needs: otherwise it takes all of each, also of
    what shares it.
    """
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        try:
            tf.config.experimental.set_memory_growth(gpu, True)
        except RuntimeError as error:
            # TensorFlow has run already, and has taken what it takes.
            _log.warning("%s is not shared: %s", gpu.name, error)
    return list(gpus)


def _strategy_of_one(gpus: int) -> tf.distribute.Strategy:
    return tf.distribute.MirroredStrategy() if gpus > 1 else tf.distribute.get_strategy()


def _strategy(pod: Pod, gpus: int) -> tf.distribute.Strategy:
    if pod.count == 1:
        return _strategy_of_one(gpus)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(pod.workers)}),
        task_type="worker",
        task_id=pod.index,
        rpc_layer="grpc",
    )
    implementation = {
        "auto": tf.distribute.experimental.CommunicationImplementation.AUTO,
        "ring": tf.distribute.experimental.CommunicationImplementation.RING,
        "nccl": tf.distribute.experimental.CommunicationImplementation.NCCL,
    }[pod.spec.workers.communication]
    return tf.distribute.MultiWorkerMirroredStrategy(
        cluster_resolver=resolver,
        communication_options=tf.distribute.experimental.CommunicationOptions(
            implementation=implementation
        ),
    )
