"""The brain under random histories: whatever happens to the pods, some things always hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.unit.operator.fake_cluster import (
    FakeCluster,
    compress_message,
    make_job,
    train_message,
)


class Histories(RuleBasedStateMachine):
    """Pods start, end, fail and vanish in any order, and the brain decides in between."""

    def __init__(self) -> None:
        super().__init__()
        spec = {"compression": {}, "serving": {}, "runPolicy": {"backoffLimit": 2}}
        self.cluster = FakeCluster(make_job(**spec))
        self.last = self.cluster.job.status

    def live(self) -> list[str]:
        return sorted(p.name for p in self.cluster.pods.values() if not p.finished)

    @rule()
    def decide(self) -> None:
        self.last = self.cluster.job.status
        self.cluster.step()

    @rule(seconds=st.sampled_from([1, 15, 130, 700]))
    def time_passes(self, seconds: int) -> None:
        self.cluster.now += seconds

    @rule()
    def pods_start(self) -> None:
        self.cluster.run_all()

    @precondition(lambda self: self.live())
    @rule(data=st.data(), code=st.sampled_from([1, 42, 43, 44, 137]))
    def a_pod_fails(self, data: st.DataObject, code: int) -> None:
        name = data.draw(st.sampled_from(self.live()))
        self.cluster.change(name, phase="Failed", exit_code=code, finish_time=self.cluster.now)

    @precondition(lambda self: self.live())
    @rule(data=st.data())
    def a_pod_is_evicted(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self.live()))
        self.cluster.change(name, disruption="EvictionByEvictionAPI")

    @precondition(lambda self: self.cluster.pods)
    @rule(data=st.data())
    def a_pod_vanishes(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.cluster.pods)))
        del self.cluster.pods[name]

    @precondition(lambda self: self.live())
    @rule()
    def the_gang_ends_well(self) -> None:
        stage = self.cluster.pods[self.live()[0]].stage
        message = train_message() if stage == "train" else compress_message()
        if all(p.phase == "Running" for p in self.cluster.pods.values() if not p.finished):
            self.cluster.finish_all(message)

    @rule()
    def the_revision_gets_ready(self) -> None:
        self.cluster.ready_all()

    @invariant()
    def attempts_never_share_the_store(self) -> None:
        live = {
            (p.stage, p.attempt)
            for p in self.cluster.pods.values()
            if not p.finished and p.stage == "train"
        }
        assert len(live) <= 1

    @invariant()
    def counters_never_jump_or_fall(self) -> None:
        before, after = self.last.restarts, self.cluster.job.status.restarts
        assert 0 <= after.program - before.program <= 1
        assert 0 <= after.infrastructure - before.infrastructure <= 1

    @invariant()
    def the_retry_budget_is_kept(self) -> None:
        assert self.cluster.job.status.restarts.program <= 2

    @invariant()
    def a_finished_stage_stays_finished(self) -> None:
        done = {s.name for s in self.last.stages if s.state == "Succeeded"}
        now = {s.name for s in self.cluster.job.status.stages if s.state == "Succeeded"}
        assert done <= now

    @invariant()
    def nothing_serves_before_it_is_measured(self) -> None:
        if self.cluster.deployments:
            assert self.cluster.job.status.evaluation is not None
            assert self.cluster.job.status.compression is not None

    def teardown(self) -> None:
        """However it went: left in peace, every job comes to an end."""
        for _ in range(12):
            if self.cluster.job.status.phase in ("Succeeded", "Failed"):
                return
            self.cluster.now += 700
            self.cluster.settle()
            self.cluster.run_all()
            self.cluster.settle()
            for name in self.live():
                pod = self.cluster.pods[name]
                message = train_message() if pod.stage == "train" else compress_message()
                self.cluster.change(name, phase="Succeeded", exit_code=0, message=message)
            self.cluster.settle()
            self.cluster.ready_all()
            self.cluster.settle()
        raise AssertionError(f"stuck in {self.cluster.job.status}")


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
