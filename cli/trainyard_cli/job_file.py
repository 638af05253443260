"""Reading the TrainingJob that a command is given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainyard_api.problems import InvalidJob, find_problems, parse_job
from trainyard_api.spec import TrainingJob
from trainyard_cli.errors import WrongInput


def read_job(path: Path) -> TrainingJob:
    """The job in a YAML file, if it can be run.

    Raises:
        WrongInput: it cannot be read, or cannot be run as it is written.
    """
    try:
        text = path.read_text()
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongInput(f"{path} is not a text file") from error
    try:
        job = parse_job(text)
        problems: Sequence[object] = find_problems(job)
    except InvalidJob as error:
        problems = error.problems
    if problems:
        raise WrongInput(describe_problems(str(path), [str(problem) for problem in problems]))
    return job


def describe_problems(source: str, problems: Sequence[str]) -> str:
    """The problems of a job in one message, a line each where there are several."""
    if len(problems) == 1:
        return f"{source}: {problems[0]}"
    return "\n  ".join([f"{source}: {len(problems)} things are wrong:", *problems])


def served_name(job: TrainingJob) -> str:
    """The name under which the job's model answers."""
    serving = job.spec.serving
    return serving.name if serving is not None and serving.name else job.metadata.name
