"""One `trainyard run`: follows the program from its first line to its end."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainyard_api.status import TrainingJobStatus
from trainyard_cli.endpoint import Endpoint, request_body, wait_until_answering
from trainyard_cli.errors import FAILED, INTERRUPTED, CliError, WrongInput
from trainyard_cli.job_file import describe_problems
from trainyard_cli.local_run.messages import Message, Refused, StatusChanged, parse_message
from trainyard_cli.local_run.program import Program
from trainyard_cli.local_run.view import View

_TURN_SECONDS = 0.2
"""How long one wait for a line lasts; Ctrl-C is answered on the screen in between."""
_SAVED = "Preempted"
"""The reason of condition Running when training was told to stop, and saved."""


@dataclass(frozen=True)
class Job:
    """What a session has to know of the job."""

    file: Path
    model: str
    """Name under which the model answers."""
    output: Path

    @property
    def logs(self) -> str:
        """Where the logs of its pods are."""
        return str(self.output / "pods" / "*" / "log")


class Session:
    """Shows what the program says, and asks the endpoint when it is up."""

    def __init__(self, job: Job, program: Program, view: View, *, once: bool) -> None:
        self._job = job
        self._program = program
        self._view = view
        self._once = once
        self._status: TrainingJobStatus | None = None
        self._presented = False
        self._stopping = False

    def follow(self) -> int:
        """Follow the program to its end; the exit code of the command.

        Raises:
            WrongInput: the program refuses the job.
            CliError: the program broke down, or the endpoint does not answer.
        """
        for line, message in self._messages():
            match message:
                case StatusChanged(status):
                    self._status = status
                case Refused(problems):
                    raise WrongInput(describe_problems(str(self._job.file), problems))
            self._view.show(line, message)
        self._notice_interrupts()
        return self._conclude(self._program.exit_code())

    def _messages(self) -> Iterator[tuple[str, Message]]:
        while True:
            self._notice_interrupts()
            try:
                line = self._program.next_line(_TURN_SECONDS)
            except queue.Empty:
                # Not before all that led to it is shown.
                self._present()
                continue
            if line is None:
                return
            yield line, parse_message(line)

    def _notice_interrupts(self) -> None:
        if not self._program.interrupts or self._stopping:
            return
        self._stopping = True
        if self._presented:
            self._view.say("Stopping.")
        else:
            self._view.say("Stopping; training saves first. Ctrl-C again kills.")

    def _present(self) -> None:
        """Once the model serves: the tables, and a prediction over the network."""
        status = self._status
        if self._presented or self._program.interrupts or status is None:
            return
        serving = status.serving
        if status.phase != "Succeeded" or serving is None or serving.readyReplicas == 0:
            return
        self._presented = True
        self._view.results(status)
        endpoint = Endpoint(serving.url, self._job.model)
        body = request_body([wait_until_answering(endpoint)])
        endpoint.predict(body)
        request = self._job.output / "request.json"
        request.write_text(body + "\n")
        self._view.answered(endpoint.prediction_url, request)
        if self._once:
            self._view.say("The endpoint has answered this request; ending, as --once asks.")
            self._program.stop()
        else:
            self._view.say("Serving until Ctrl-C.")

    def _conclude(self, code: int) -> int:
        """The last words, and the exit code."""
        status = self._status or self._left_behind()
        if status is not None and status.phase == "Failed":
            self._view.failed(status, self._job.logs)
            return FAILED
        if self._program.interrupts:
            return self._interrupted(status, code)
        if status is not None and status.phase == "Succeeded" and code == 0:
            if not self._presented:
                self._view.results(status)
            return 0
        if status is not None and status.phase == "Suspended" and code >= 0:
            self._view.say("Suspended: set spec.runPolicy.suspend to false to go on.")
            return FAILED
        words = self._program.last_words() or f"it said nothing; see {self._job.logs}"
        raise CliError(f"the program that runs the job broke down (exit code {code}):\n{words}")

    def _interrupted(self, status: TrainingJobStatus | None, code: int) -> int:
        if status is None:
            self._view.say("Stopped before anything had begun.")
            return INTERRUPTED
        if status.phase == "Succeeded":
            self._view.say("Stopped; run the same command to serve again.")
            return 0 if code == 0 else INTERRUPTED
        running = status.condition("Running")
        saved = running is not None and running.reason == _SAVED
        word = "Killed" if self._program.interrupts > 1 else "Saved" if saved else "Stopped"
        self._view.say(f"{word}; run the same command to go on.")
        return INTERRUPTED

    def _left_behind(self) -> TrainingJobStatus | None:
        """The status that an earlier start has left: a job that is done says nothing new."""
        path = self._job.output / "status.json"
        try:
            return TrainingJobStatus.model_validate_json(path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise CliError(f"{path} cannot be read ({error}); give another --output") from error
