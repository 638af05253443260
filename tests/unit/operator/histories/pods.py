"""What pods do."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.unit.operator.fake_cluster import compress_message, train_message
from tests.unit.operator.histories.history import PICK, History, happens
from trainyard_api.exit_codes import ExitCode
from trainyard_api.results import Failure, TerminationMessage
from trainyard_operator.brain.observed import PodView

WAITING = st.sampled_from(
    [
        "Unschedulable",
        "ErrImagePull",
        "ImagePullBackOff",
        "CreateContainerConfigError",
        "SecretNotFound",
        "ConfigMapNotFound",
        "ClaimNotFound",
        "FailedMount",
        "SchedulingGated",
    ]
)
DISRUPTIONS = st.sampled_from(
    ["EvictionByEvictionAPI", "DeletionByTaintManager", "PreemptionByScheduler", "NodeLost"]
)
CODES = st.sampled_from([*(int(code) for code in ExitCode), 137, 139, 255, None])
FAILURE = TerminationMessage(failure=Failure(reason="InvalidData", message="no rows")).encode()
WORDS = st.sampled_from(
    ["", "hello", "Traceback (most recent call last)\nboom", "[" * 5000, FAILURE]
)


class Pods(History):
    """Pods start, wait, end, and are disrupted."""

    def working(self, pick: int) -> PodView:
        pods = self.cluster.working()
        return pods[pick % len(pods)]

    has_working = precondition(lambda self: bool(self.cluster.working()))

    @has_working
    @happens(pick=PICK, reason=WAITING, setting_up=st.booleans())
    def a_pod_waits(self, pick: int, reason: str, setting_up: bool) -> None:
        pod = self.working(pick)
        if pod.phase == "Pending":
            said = {"waiting_reason": reason, "waiting_message": f"{reason} of something"}
            self.cluster.change(pod.name, setting_up=setting_up, **said)

    @has_working
    @happens(pick=PICK)
    def a_pod_waits_no_longer(self, pick: int) -> None:
        self.cluster.change(self.working(pick).name, waiting_reason="", waiting_message="")

    @has_working
    @happens(pick=PICK)
    def a_pod_runs(self, pick: int) -> None:
        pod = self.working(pick)
        if pod.phase == "Pending" and not pod.deleting:
            self.cluster.change(pod.name, phase="Running", ready=True, waiting_reason="")

    @has_working
    @happens(pick=PICK, code=CODES, words=WORDS, oom=st.booleans(), sidecar=st.booleans())
    def a_pod_ends(self, pick: int, code: int | None, words: str, oom: bool, sidecar: bool) -> None:
        """Beside a sidecar that runs on, or with all its containers."""
        end = {
            "exit_code": code,
            "message": words,
            "oom_killed": oom and code == 137,
            "finish_time": self.cluster.now,
        }
        if not (sidecar and code is not None):
            end["phase"] = "Succeeded" if code == 0 else "Failed"
        self.end(self.working(pick), **end)

    @has_working
    @happens(pick=PICK, accuracy=st.sampled_from([0.9, 0.96]), hurry=st.booleans())
    def a_pod_ends_with_a_result(self, pick: int, accuracy: float, hurry: bool) -> None:
        pod = self.working(pick)
        message = train_message(accuracy) if pod.stage == "train" else compress_message()
        phase = "Running" if hurry else "Succeeded"
        self.end(pod, phase=phase, exit_code=0, message=message, finish_time=self.cluster.now)

    @has_working
    @happens(accuracy=st.sampled_from([0.9, 0.96]))
    def all_pods_end_with_a_result(self, accuracy: float) -> None:
        for pod in self.cluster.working():
            message = train_message(accuracy) if pod.stage == "train" else compress_message()
            if pod.phase == "Running":
                self.end(pod, phase="Succeeded", exit_code=0, message=message)

    def end(self, pod: PodView, **fields: object) -> None:
        self.cluster.change(pod.name, **fields)
        if self.cluster.pods[pod.name].finished and pod.deleting:
            self.cluster.vanish(pod.name)

    @has_working
    @happens(pick=PICK, reason=DISRUPTIONS, lost=st.booleans())
    def a_pod_is_disrupted(self, pick: int, reason: str, lost: bool) -> None:
        pod = self.working(pick)
        self.cluster.change(pod.name, disruption=reason)
        if lost:
            self.cluster.change(pod.name, phase="Unknown")
            self.cluster.hanging.add(pod.name)
        self.cluster.end_pod(pod.name)

    @has_working
    @happens(pick=PICK)
    def a_pods_node_is_lost(self, pick: int) -> None:
        pod = self.working(pick)
        self.cluster.change(pod.name, phase="Unknown", ready=False)
        self.cluster.hanging.add(pod.name)

    @precondition(lambda self: self.cluster.pods)
    @happens(pick=PICK, hangs=st.booleans())
    def somebody_deletes_a_pod(self, pick: int, hangs: bool) -> None:
        names = sorted(self.cluster.pods)
        name = names[pick % len(names)]
        if hangs:
            self.cluster.hanging.add(name)
        self.cluster.end_pod(name)

    @precondition(lambda self: self.cluster.pods)
    @happens(pick=PICK)
    def a_pod_vanishes(self, pick: int) -> None:
        names = sorted(self.cluster.pods)
        self.cluster.vanish(names[pick % len(names)])

    @has_working
    @happens(pick=PICK)
    def a_pod_will_not_end(self, pick: int) -> None:
        self.cluster.hanging.add(self.working(pick).name)
