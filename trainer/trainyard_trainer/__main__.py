"""`python -m trainyard_trainer train|compress`: the program of training and compression pods."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import traceback
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Final

from trainyard_api import environment
from trainyard_api.peers import can_be_inherited, tf_config_of
from trainyard_api.problems import find_problems
from trainyard_api.spec import Metadata, TrainingJob
from trainyard_trainer import processors, termination
from trainyard_trainer.errors import InvalidSpec, ProgramFailed, TrainerError
from trainyard_trainer.own_code import bring
from trainyard_trainer.pod import Pod
from trainyard_trainer.progress import ProgressServer, Tracker
from trainyard_trainer.signals import StopRequest
from trainyard_trainer.starting import import_keras, meanwhile

_log = logging.getLogger(__name__)

_FRAMES: Final = 3
_TENSORFLOW_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
_EPILOG: Final = """\
The job is read from the environment that the operator sets:
  TRAINYARD_JOB, TRAINYARD_NAMESPACE, TRAINYARD_RUN, TRAINYARD_ATTEMPT
  TRAINYARD_SPEC             the job's spec as JSON
  TRAINYARD_STORAGE          URI of the run's folder
  TRAINYARD_MODEL_URI, TRAINYARD_MODEL_SHA256   (compress) the model and its digest
  TRAINYARD_PREPARED_URI, TRAINYARD_PREPARED_SHA256   (compress) the rows that were held out
  TRAINYARD_VOLUMES          folder below which claims are mounted
  TRAINYARD_TERMINATION_LOG  file that takes the result, or why there is none
  TRAINYARD_HOST, TRAINYARD_PORT   where /progress and /metrics are answered
  TRAINYARD_PEERS            the workers' addresses as a pattern, their count, this one's index
  TF_CONFIG                  the same, address by address; where it is set it goes before

exit codes: 0 done; 1 failed; 2 spec, data or result are wrong; 42 stopped by SIGTERM, state saved;
43 another worker vanished; 44 the store is away or full; 45 no step for too long; 46 the loss is no
number
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a stage; the process's exit code."""
    options = _parser().parse_args(arguments)
    # Before TensorFlow is imported and starts threads: they inherit what is blocked.
    stop = StopRequest()
    stop.listen()
    _quiet_tensorflow()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        return _run(options.stage, os.environ, stop)
    except TrainerError as error:
        _log.error("%s: %s", error.reason, error)
        termination.write_failure(error, os.environ)
        return error.exit_code
    except Exception as error:
        traceback.print_exc()
        failure = ProgramFailed(_describe(error))
        termination.write_failure(failure, os.environ)
        return failure.exit_code


def _run(stage: str, environ: Mapping[str, str], stop: StopRequest) -> int:
    pod = Pod.from_environment(environ)
    _tell_tensorflow(os.environ)
    own = processors.own_cpus(processors.usable_cpus(), pod.workers, pod.index)
    processors.tell_tensorflow(os.environ, own)
    _name_log_lines(pod, stage)
    _check_spec(pod)
    bring(pod.spec.code, pod.environ)
    tracker = Tracker()
    if pod.is_chief:
        labels = {"job": pod.job, "namespace": pod.namespace, "run": pod.run, "stage": stage}
        ProgressServer(tracker, pod.host, pod.port, labels)
    # What starts threads of its own (NumPy does) is imported after signals are blocked in them.
    if stage == "train":
        from trainyard_trainer.data import load

        tracker.say("reading data")
        reading = meanwhile(lambda: load(pod.spec.learned_data, pod.environ, tracker.say))
        import_keras(pod.spec.data)
        from trainyard_trainer.training import run

        return run.run(pod, tracker, stop, reading)
    from trainyard_trainer import compress

    return compress.run(pod, tracker)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m trainyard_trainer",
        description="One stage of a Trainyard job, in one of its pods.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    stages = parser.add_subparsers(dest="stage", required=True, metavar="STAGE")
    stages.add_parser("train", help="train with the other workers, evaluate and export the model")
    stages.add_parser("compress", help="make and measure smaller models, and pick the best")
    return parser


def _check_spec(pod: Pod) -> None:
    """The operator has checked the spec; this says it too where the image is another version."""
    problems = find_problems(TrainingJob(metadata=Metadata(name=pod.job), spec=pod.spec))
    if problems:
        raise InvalidSpec("; ".join(str(problem) for problem in problems))


def _name_log_lines(pod: Pod, stage: str) -> None:
    """Put job, run, stage and worker into every line."""
    who = f"job={pod.namespace}/{pod.job} run={pod.run} {stage}-{pod.attempt}-{pod.index}"
    line = f"%(asctime)s %(levelname)s {who.replace('%', '%%')}: %(message)s"
    logging.basicConfig(level=logging.INFO, format=line, force=True)


def _tell_tensorflow(environ: MutableMapping[str, str]) -> None:
    """Set TF_CONFIG for what reads it, as a model of one's own may, before TensorFlow starts.

    The gang itself is built from `Pod.workers`. A TF_CONFIG that is too long is left out: with it
    this process could start no other one, and XLA starts the compiler for GPUs.
    """
    config = tf_config_of(environ)
    if config and can_be_inherited(environment.TF_CONFIG, config):
        environ[environment.TF_CONFIG] = config


def _quiet_tensorflow() -> None:
    """Keep TensorFlow's notes out of the log, unless TF_CPP_MIN_LOG_LEVEL asks for them."""
    if os.environ.setdefault(_TENSORFLOW_LEVEL, "2") >= "2":
        logging.getLogger("tensorflow").setLevel(logging.WARNING)
        logging.getLogger("absl").setLevel(logging.WARNING)


def _describe(error: Exception) -> str:
    """Type and message of an unexpected error, and where it came from."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    where = "; ".join(f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames)
    return f"{type(error).__name__}: {error} (at {where}); the log has all of it"


def _leave(code: int) -> None:
    """End the process without TensorFlow's own farewell, which waits for the other workers for
    half a minute where they have left before.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    _leave(main())
