"""What keeps a pod's volumes from being set up: it stands in the pod's events and nowhere else.

Only of a pod that has waited for a while, and only of one pod of a job: a gang waits for one
thing.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainyard_operator.brain.observed import PodView
from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable
from trainyard_operator.hands.cluster.keys import Key
from trainyard_operator.hands.cluster.workqueue import WorkQueue

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
"""How long a pod may be set up before anybody asks why."""
AGAIN_SECONDS = 15.0
_REASONS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
_NOT_FOUND = re.compile(r'(secret|configmap|persistentvolumeclaim) "([^"]+)" not found')
_KINDS = {
    "secret": ("SecretNotFound", "Secret"),
    "configmap": ("ConfigMapNotFound", "ConfigMap"),
    "persistentvolumeclaim": ("ClaimNotFound", "claim"),
}
_NOT_YET = "no relationship found between node"
"""The API server has not yet seen that the pod is on the node, and tells the kubelet nothing of
what the pod needs; a moment later it does."""
_SHOWN = 500


@dataclass(slots=True)
class _Waiting:
    pod: str
    complaint: tuple[str, str] = ("", "")
    """Reason and message."""


class Complaints:
    """Why pods are not set up."""

    def __init__(self, api: Api, changed: Callable[[Key], None]) -> None:
        """Args:
        api: the API server.
        changed: is called with each job of which something new is known.
        """
        self._api = api
        self._changed = changed
        self._waiting: dict[Key, _Waiting] = {}
        self._due: WorkQueue[Key] = WorkQueue()

    def follow(self, key: Key, pods: Sequence[PodView]) -> None:
        """The pods of a job as they are; without any, the job is forgotten."""
        first = min((p for p in pods if p.setting_up), key=lambda p: p.index, default=None)
        known = self._waiting.get(key)
        if first is None:
            self._waiting.pop(key, None)
        elif known is None or known.pod != first.name:
            self._waiting[key] = _Waiting(first.name)
            self._due.add(key, time.time() + PATIENCE_SECONDS)

    def with_complaints(self, key: Key, pods: list[PodView]) -> list[PodView]:
        """The pods, with what is known of why they wait."""
        waiting = self._waiting.get(key)
        if waiting is None or not waiting.complaint[0]:
            return pods
        reason, message = waiting.complaint
        return [
            replace(pod, waiting_reason=reason, waiting_message=message)
            if pod.setting_up and pod.name == waiting.pod
            else pod
            for pod in pods
        ]

    async def ask(self) -> None:
        """Ask until cancelled, one question after the other."""
        while True:
            key = await self._due.take()
            try:
                await self._ask(key)
            except (ApiError, ApiUnavailable) as error:
                log.warning("events cannot be read: %s", error, extra={"job": str(key)})
            finally:
                self._due.done(key)

    async def _ask(self, key: Key) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            return
        self._due.add(key, time.time() + AGAIN_SECONDS)
        events = await self._api.events(key.namespace, "Pod", waiting.pod)
        complaint = newest_complaint(events, key.namespace)
        if complaint != waiting.complaint and self._waiting.get(key) is waiting:
            waiting.complaint = complaint
            self._changed(key)


def newest_complaint(events: Iterable[Manifest], namespace: str) -> tuple[str, str]:
    """Reason and message of what keeps a pod from being set up; empty where nothing does.

    What was complained of before something else has happened, such as the pull of an image, is
    past.

    Args:
        events: of one pod.
        namespace: of the pod.
    """
    newest = max(events, key=lambda event: (_time(event), _complains(event)), default=None)
    if newest is None or not _complains(newest):
        return "", ""
    reason, message = str(newest["reason"]), str(newest.get("message") or "")
    if _NOT_YET in message:
        return "", ""
    if found := _NOT_FOUND.search(message):
        reason, kind = _KINDS[found[1]]
        return reason, (
            f"{kind} {found[2]} does not exist in namespace {namespace}; create it, or mend the "
            "volumes of spec.workers.template"
        )
    return reason, message[:_SHOWN]


def _complains(event: dict[str, Any]) -> bool:
    return event.get("reason") in _REASONS


def _time(event: dict[str, Any]) -> str:
    series = event.get("series") or {}
    times = (series.get("lastObservedTime"), event.get("lastTimestamp"), event.get("eventTime"))
    return next((time for time in times if time), "")
