"""`python -m trainyard_operator.hands.processes JOB --output DIR [--mount CLAIM=DIR ...]`."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from trainyard_api.digests import artifact_sha256
from trainyard_api.locations import config_map
from trainyard_api.problems import InvalidJob, find_problems, parse_job
from trainyard_api.spec import Code, TrainingJob
from trainyard_operator.hands.processes.errors import WrongInput
from trainyard_operator.hands.processes.run import LocalRun, Request, local_settings, say

EXIT_WRONG_INPUT = 2


def main() -> int:
    """Run one job; the exit code is 0 Succeeded, 1 Failed, 2 wrong input."""
    arguments = _arguments()
    try:
        job = _with_code(_read(Path(arguments.job)), arguments.code)
        output = Path(arguments.output)
        request = Request(job, output, _mounts(arguments.mount))
        return asyncio.run(_run(request))
    except InvalidJob as error:
        say("refused", problems=[str(problem) for problem in error.problems])
    except WrongInput as error:
        say("refused", problems=[str(error)])
    return EXIT_WRONG_INPUT


async def _run(request: Request) -> int:
    return await LocalRun(request, local_settings(request.output)).run()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trainyard_operator.hands.processes",
        description="Runs a TrainingJob as local processes; tells what happens as JSON lines.",
    )
    parser.add_argument("job", help="YAML file of the TrainingJob")
    parser.add_argument("--output", required=True, help="folder for status, models and logs")
    parser.add_argument(
        "--mount",
        action="append",
        default=[],
        metavar="CLAIM=DIR",
        help="folder that stands for a volume claim (pvc://CLAIM/...)",
    )
    parser.add_argument("--code", metavar="FILE", help="archive that takes the place of spec.code")
    return parser.parse_args()


def _read(path: Path) -> TrainingJob:
    try:
        text = path.read_text()
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from error
    job = parse_job(text)
    if problems := find_problems(job):
        raise InvalidJob(problems)
    return job


def _with_code(job: TrainingJob, archive: str | None) -> TrainingJob:
    """The job with its own code: that of an archive, or what its spec names.

    Raises:
        WrongInput: it cannot be had here.
    """
    named = job.spec.code
    if archive is None:
        if named is not None and config_map(named.uri) is not None:
            raise WrongInput(
                f"spec.code.uri: {named.uri} is in a cluster; give the folder with the code by "
                "--code DIR"
            )
        return job
    path = Path(archive).resolve()
    try:
        code = Code(uri=f"file://{path}", sha256=artifact_sha256(path))
    except OSError as error:
        raise WrongInput(f"{path}: {error.strerror}") from error
    return job.model_copy(update={"spec": job.spec.model_copy(update={"code": code})})


def _mounts(pairs: list[str]) -> dict[str, Path]:
    mounts = {}
    for pair in pairs:
        claim, found, folder = pair.partition("=")
        if not found or not claim or not folder:
            raise WrongInput(f"--mount {pair}: write CLAIM=FOLDER, as in --mount datasets=./data")
        mounts[claim] = Path(folder)
    return mounts


if __name__ == "__main__":
    sys.exit(main())
