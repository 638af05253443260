"""One job on this machine: `python -m trainyard_operator.hands.processes JOB --output DIR`.

The brain is the cluster's; here it decides over processes. What happens goes to standard
output as JSON lines, for whoever shows it to people.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp

from trainyard_api import environment
from trainyard_api.locations import claim as claim_of
from trainyard_api.locations import join
from trainyard_api.spec import TrainingJob
from trainyard_api.status import Progress
from trainyard_operator.brain.decide import decide
from trainyard_operator.brain.observed import Observed, PodView
from trainyard_operator.brain.plan import Event, Plan
from trainyard_operator.build.pods import claims_of, storage_uri
from trainyard_operator.hands.processes.data_seen import DataSeen, look, word_of_before
from trainyard_operator.hands.processes.errors import WrongInput
from trainyard_operator.hands.processes.journal import Journal
from trainyard_operator.hands.processes.keeper import Keeper
from trainyard_operator.hands.processes.translation import LOOPBACK, free_port
from trainyard_operator.hands.progress import open_progress_session, read_progress
from trainyard_operator.settings import Settings


@dataclass(frozen=True)
class Request:
    """What is to be run, and where."""

    job: TrainingJob
    output: Path
    mounts: Mapping[str, Path]
    """Folder of each claim."""


class LocalRun:
    """Runs a job to its end, and serves until it is told to stop."""

    def __init__(self, request: Request, settings: Settings) -> None:
        self._output = request.output
        self._settings = settings
        self._journal = Journal(request.output)
        self._asked = request.job.spec
        job = self._journal.take_up(request.job)
        volumes = mount_volumes(job, request, settings)
        self._job = with_free_port(self._look_at_data(job, volumes))
        # Who starts a failed job again wants it tried again.
        self._retry = self._job.status.phase == "Failed"
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._keeper = Keeper(request.output / "pods", volumes, self._changed)

    def _look_at_data(self, job: TrainingJob, volumes: Path) -> TrainingJob:
        """The job, as what has become of its data asks for it."""
        uri = job.spec.data.source.uri
        metadata = job.metadata
        store = join(storage_uri(job, self._settings), metadata.namespace, metadata.name)
        written = (f"file://{self._output.resolve()}", store)
        digest = look(uri, {environment.VOLUMES: str(volumes)}, written)
        first = DataSeen(uri=uri, digest=digest)
        before = (self._journal.data() if job.status.run is not None else None) or first
        seen = before.next(uri, digest)
        self._journal.write_data(seen)
        asked = seen.asked_of(job)
        self._word = word_of_before(asked, before, seen, known=digest is not None)
        return asked

    async def run(self) -> int:
        """Run until the job has ended and, where it serves, until it is told to stop.

        Returns:
            0 if the job succeeded, 1 if it failed or was stopped before its end.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._told_to_stop)
        self._tell_of_secrets()
        if self._word is not None:
            say("event", event=asdict(self._word))
        async with open_progress_session() as session:
            try:
                await self._loop(session)
            finally:
                await self._keeper.close()
        await self._step(None)
        return 0 if self._job.status.phase == "Succeeded" else 1

    def _tell_of_secrets(self) -> None:
        """Secrets are the cluster's; here their variables are the shell's."""
        storage = self._job.spec.storage
        references = {
            "spec.data.source.secretRef": self._job.spec.data.source.secretRef,
            "spec.storage.secretRef": storage.secretRef if storage else None,
        }
        for field, reference in references.items():
            if reference is not None:
                text = f"{field}: Secret {reference.name} is not read; the environment counts"
                event = Event("Normal", "CredentialsFromEnvironment", text)
                say("event", event=asdict(event))

    def _told_to_stop(self) -> None:
        self._stop.set()
        self._changed.set()

    async def _loop(self, session: aiohttp.ClientSession) -> None:
        while not self._stop.is_set():
            progress = await self._progress(session)
            self._changed.clear()
            plan = await self._step(progress)
            if self._ended():
                return
            await self._sleep(plan)

    async def _step(self, progress: Progress | None) -> Plan:
        """One decision, carried out."""
        observed = Observed(
            job=self._job,
            pods=self._keeper.pods(),
            services=self._keeper.services(),
            deployments=self._keeper.deployments(),
            policies=self._keeper.policies(),
            progress=progress,
            retry=self._retry,
        )
        self._retry = False
        plan = decide(observed, self._settings, time.time())
        self._write(plan)
        if not self._stop.is_set():
            await self._act(plan)
        return plan

    def _write(self, plan: Plan) -> None:
        if plan.status != self._job.status:
            self._job = self._job.model_copy(update={"status": plan.status})
            self._journal.write(self._job.model_copy(update={"spec": self._asked}))
            say("status", status=plan.status.to_dict())
            self._changed.set()
        for event in plan.events:
            say("event", event=asdict(event))

    async def _act(self, plan: Plan) -> None:
        for manifest in plan.replace:
            await self._keeper.replace(manifest)
        for ref in plan.delete:
            await self._keeper.delete(ref)
        for manifest in plan.create:
            await self._keeper.create(manifest)
        if plan.delete or plan.replace or plan.create:
            self._changed.set()

    def _ended(self) -> bool:
        phase = self._job.status.phase
        if phase == "Suspended":
            return True
        serves = self._job.status.serving is not None and self._job.spec.serving is not None
        return phase == "Failed" or (phase == "Succeeded" and not serves)

    async def _progress(self, session: aiohttp.ClientSession) -> Progress | None:
        chief = self._chief()
        return await read_progress(session, chief.address) if chief else None

    def _chief(self) -> PodView | None:
        """The pod that knows how far the stage under way is."""
        return next((pod for pod in self._keeper.pods() if _is_chief(pod)), None)

    async def _sleep(self, plan: Plan) -> None:
        now = time.time()
        until = plan.look_again or now + self._settings.resync_seconds
        if self._chief() is not None:
            until = min(until, now + self._settings.progress_seconds)
        try:
            await asyncio.wait_for(self._changed.wait(), max(0.05, until - time.time()))
        except TimeoutError:
            return


def _is_chief(pod: PodView) -> bool:
    return pod.index == 0 and pod.stage != "serve" and not pod.finished and not pod.deleting


def say(kind: str, **content: Any) -> None:
    """Write one line for whoever shows it."""
    print(json.dumps({"type": kind, **content}), flush=True)


def with_free_port(job: TrainingJob) -> TrainingJob:
    """The job with a serving port that is free here: the one it asks for, or another."""
    if job.spec.serving is None:
        return job
    port = free_port(job.spec.serving.port)
    serving = job.spec.serving.model_copy(update={"port": port})
    return job.model_copy(update={"spec": job.spec.model_copy(update={"serving": serving})})


def mount_volumes(job: TrainingJob, request: Request, settings: Settings) -> Path:
    """A folder with an entry for each claim of the job.

    A claim that only the store is on gets a folder of its own below the output.

    Raises:
        WrongInput: a claim of the data or the code is mounted nowhere.
    """
    volumes = request.output / "volumes"
    volumes.mkdir(parents=True, exist_ok=True)
    needed = {"spec.data.source.uri": job.spec.data.source.uri}
    needed |= {"spec.code.uri": job.spec.code.uri} if job.spec.code is not None else {}
    for claim in claims_of(job, settings):
        target, entry = request.mounts.get(claim), volumes / claim
        if target is None:
            if field := next((f for f, uri in needed.items() if claim_of(uri) == claim), None):
                raise WrongInput(
                    f"{field}: claim {claim} is mounted nowhere; add --mount {claim}=FOLDER"
                )
            if entry.is_symlink() and not entry.exists():
                entry.unlink()
            entry.mkdir(exist_ok=True)
            continue
        if not target.is_dir():
            raise WrongInput(f"--mount {claim}={target}: there is no such folder")
        if entry.is_symlink():
            entry.unlink()
        elif entry.exists():
            raise WrongInput(
                f"--mount {claim}={target}: an earlier start has kept claim {claim} in {entry}; "
                "leave the mount out, or give another --output"
            )
        entry.symlink_to(target.resolve())
    return volumes


def local_settings(output: Path) -> Settings:
    """The operator's settings on a laptop: its own store, quick retries, loopback URLs."""
    return Settings(
        storage_uri=f"file://{output.resolve()}/store",
        service_host=LOOPBACK,
        backoff_seconds=float(os.environ.get("TRAINYARD_BACKOFF_SECONDS", "2")),
        progress_seconds=0.5,
    )
