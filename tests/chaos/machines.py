"""The processes that are killed: the control plane's, and the operators."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.history import History
from tests.cluster import Cluster, Operator

_LOCAL = (sys.executable, "-m", "trainyard_local")
_CONTROLLERS = "kube-controller-manager"
"""Is started anew with what it needs: by itself it would rest for half a minute after each fault,
and no Deployment would have pods."""
_LOOK_SECONDS = 0.2
_LOST_THE_LEASE = 1
"""Exit code of an operator that another has taken over from."""
_EXPECTED = ("ApiError", "ApiUnavailable", "Expired", "NotYet", "LeadershipLost")
"""Errors that an operator may log with where they came from."""


class ControlPlane:
    """etcd and the API server."""

    def __init__(self, cluster: Cluster, history: History) -> None:
        self._name = cluster.name
        self._history = history
        self._repairing = asyncio.Lock()

    async def kill(self, program: str, down_seconds: float) -> None:
        """Kill a program, and start it again after a while."""
        async with self._repairing:
            text = await self._local("status", "-o", "json")
            parts = {part["name"]: part["pid"] for part in json.loads(text)["components"]}
            for name in (program, _CONTROLLERS):
                with contextlib.suppress(ProcessLookupError, TypeError):
                    os.kill(parts[name], signal.SIGKILL)
            await asyncio.sleep(down_seconds)
            await self._local("up", "--control-plane-only")
            self._history.note_all(f"{program} is there again")

    async def _local(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *_LOCAL, *arguments, "--name", self._name, stdout=subprocess.PIPE
        )
        output, _ = await process.communicate()
        return output.decode()


class Crew:
    """The operators, each with somebody who starts it again, as a kubelet does."""

    def __init__(self, operators: Sequence[Operator], history: History) -> None:
        self._operators = operators
        self._history = history
        self._down: set[int] = set()

    def start(self) -> None:
        """Start all of them."""
        for operator in self._operators:
            operator.start()

    async def kill(self, index: int, down_seconds: float) -> None:
        """Kill one as a lost node would, and start it again after a while."""
        if index in self._down:
            return
        self._down.add(index)
        self._operators[index].kill()
        await asyncio.sleep(down_seconds)
        self._operators[index].start()
        self._down.discard(index)

    async def stop_for(self, index: int, seconds: float) -> None:
        """Let one stand still, with everything in its hands, and go on."""
        process = self._operators[index].process
        if process is None or index in self._down:
            return
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    async def watch(self) -> None:
        """Start those again that end by themselves; for one reason alone they may."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            for index, operator in enumerate(self._operators):
                process = operator.process
                if index in self._down or process is None or process.poll() is None:
                    continue
                code = process.returncode
                self._history.note_all(f"operator {index} has ended with {code}")
                if code != _LOST_THE_LEASE or len(self._operators) == 1:
                    self._history.violation("", f"operator {index} ended with {code}")
                operator.start()

    def check(self) -> None:
        """See that all of them live and are well, and that none stumbled over its own feet."""
        for index, operator in enumerate(self._operators):
            for path in ("healthz", "readyz"):
                url = f"http://127.0.0.1:{operator.port}/{path}"
                try:
                    urllib.request.urlopen(url, timeout=5).close()
                except OSError as error:
                    self._history.violation("", f"operator {index}: {path} says {error}")
            for text in unexpected_errors(operator.log):
                self._history.violation("", f"operator {index} logged: {text}")

    def end(self) -> None:
        """End all of them."""
        for operator in self._operators:
            operator.kill()


def unexpected_errors(log: Path) -> list[str]:
    """Errors in an operator's log that are no answers of the API server.

    kopf logs how it ends at an answer that it does not know, and is started again.
    """
    found = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = {"message": line, "exception": line}
        last = entry.get("exception", "").strip().rpartition("\n")[2]
        kind = last.partition(":")[0].rpartition(".")[2]
        if last and kind not in _EXPECTED and not entry.get("logger", "").startswith("kopf."):
            found.append(f"{entry['message']}: {entry['exception']}")
    return found
