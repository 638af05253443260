"""One job in one cluster: what the rules of its histories have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.unit.operator.fake_cluster import compress_message, train_message
from tests.unit.operator.played_cluster import PlayedCluster
from trainyard_operator.brain.observed import Observed

PICK = st.integers(0, 30)
"""Which of several; by its remainder, so that it fits any number of them."""
THEN = st.sampled_from(["it sleeps", "it decides", "it rests", "it rests"])


class History(RuleBasedStateMachine):
    """One job in one cluster."""

    cluster: PlayedCluster
    spec: dict[str, object]
    """That the job was created with."""
    number: int
    """How many jobs of its name there were."""
    seen: Observed | None
    """What the operator saw before."""

    def decides(self, operations: int | None) -> None:
        if self.cluster.deleted_job:
            return
        observed = self.cluster.observe()
        self.cluster.carry_out(observed, self.cluster.decide(observed), operations)
        self.seen = None

    def rests(self) -> None:
        self.cluster.rest()
        self.seen = None

    def goes_well(self, steps: int) -> None:
        for _ in range(steps):
            self.rests()
            self.go_well(self.cluster)

    @staticmethod
    def go_well(cluster: PlayedCluster) -> None:
        """What runs ends with a result, what waits runs, and what is deployed is ready."""
        for pod in cluster.working():
            if pod.deleting or pod.phase == "Unknown":
                continue
            if pod.phase == "Running":
                message = train_message(0.96) if pod.stage == "train" else compress_message()
                end = {"phase": "Succeeded", "exit_code": 0, "message": message}
                cluster.change(pod.name, **end)
            else:
                cluster.change(pod.name, phase="Running", waiting_reason="", setting_up=False)
        cluster.ready_all()


def happens(**drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A rule, after which the operator sleeps, decides once, or brings all to rest."""

    def as_rule(change: Callable[..., None]) -> Any:
        @wraps(change)
        def told(self: History, then: str, **values: Any) -> None:
            change(self, **values)
            if then == "it decides":
                self.decides(None)
            elif then == "it rests":
                self.rests()

        arguments: dict[str, Any] = {"then": THEN, **drawn}
        return rule(**arguments)(told)

    return as_rule
