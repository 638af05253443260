"""The brain under random histories: whatever happens to a job, some things always hold.

Pods, others and the API server do what they like in any order; the operator decides in between,
by what it sees or by what it saw before, and may be stopped in the middle of a plan. What has to
hold of each decision, and of the cluster once all is carried out, stands in `promises`.

The short form is the same at each run. The long form looks further, and elsewhere each time:

    HYPOTHESIS_PROFILE=long python -m pytest tests/unit/operator/test_random_histories.py
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.unit.operator.fake_cluster import make_job
from tests.unit.operator.histories.history import happens
from tests.unit.operator.histories.others import Others
from tests.unit.operator.histories.pods import Pods
from tests.unit.operator.histories.users import Users
from tests.unit.operator.played_cluster import PlayedCluster
from tests.unit.operator.promises import ENDS, at_rest
from trainyard_api.names import ANNOTATION_RETRAIN
from trainyard_api.status import Progress

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
POLICY = {"backoffLimit": 2, "infrastructureRestartLimit": 4}
SECONDS = st.sampled_from([1, 5, 15, 31, 61, 130, 301, 700, 4000, 100_000])
STEPS = st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 7])
"""How far a job goes; after six it serves."""
SPECS = st.fixed_dictionaries(
    {"serving": st.sampled_from([{}, {"replicas": 2}, {"name": "other"}, None])},
    optional={
        "compression": st.just({}),
        "workers": st.sampled_from(
            [
                {},
                {"replicas": 2},
                {"replicas": 3, "terminationGracePeriodSeconds": 1},
                {"replicas": 3, "minReplicas": 1, "elasticDelaySeconds": 60},
            ]
        ),
        "evaluation": st.just({"gates": [{"metric": "accuracy", "minimum": 0.95}]}),
        "runPolicy": st.sampled_from(
            [
                {"suspend": True},
                {"activeDeadlineSeconds": 300},
                {"cleanPodPolicy": "All", "ttlSecondsAfterFinished": 1000},
                {"cleanPodPolicy": "None", "backoffLimit": 0},
                {"infrastructureRestartLimit": 0},
            ]
        ),
    },
)


class Histories(Pods, Others, Users):
    """Everything at once."""

    @initialize(spec=SPECS, steps=STEPS, again=STEPS)
    def a_job_is_created(self, spec: dict[str, object], steps: int, again: int) -> None:
        """And goes its way for a while, perhaps to its end and on to its next run."""
        self.number, self.spec = 1, spec
        policy = spec.get("runPolicy") or {}
        assert isinstance(policy, dict)
        self.cluster = PlayedCluster(make_job(**{**spec, "runPolicy": {**POLICY, **policy}}))
        self.seen = None
        self.goes_well(steps)
        if again:
            self.cluster.annotate(ANNOTATION_RETRAIN, "first")
            self.goes_well(again)

    # The operator.

    there = precondition(lambda self: not self.cluster.deleted_job)

    @there
    @rule(operations=st.none() | st.integers(0, 4))
    def it_decides(self, operations: int | None) -> None:
        """And is perhaps stopped in the middle."""
        self.decides(operations)
        if operations is not None:
            self.cluster.restart_operator()

    @rule()
    def it_comes_to_rest(self) -> None:
        self.rests()

    @rule()
    def it_looks(self) -> None:
        self.seen = self.cluster.observe()

    @there
    @precondition(lambda self: self.seen is not None)
    @rule()
    def it_decides_by_what_it_saw_before(self) -> None:
        """Where it has acted since, it knows of that: only what others did may be missing."""
        assert self.seen is not None
        seen, self.seen = self.seen, None
        self.cluster.carry_out(seen, self.cluster.decide(seen))

    @rule()
    def the_operator_is_restarted(self) -> None:
        self.cluster.restart_operator()

    @rule()
    def names_are_seen(self) -> None:
        self.cluster.names_are_seen()

    # Time, and things that go well.

    @happens(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        self.cluster.pass_time(seconds)

    @happens(steps=st.integers(1, 6))
    def all_goes_well_for_a_while(self, steps: int) -> None:
        self.goes_well(steps)

    @happens()
    def pods_run(self) -> None:
        self.cluster.run_all()

    @happens()
    def deployments_become_ready(self) -> None:
        self.cluster.ready_all()

    @happens(percent=st.integers(0, 100), loss=st.floats(allow_nan=False, allow_infinity=False))
    def the_chief_says_how_far_it_is(self, percent: int, loss: float) -> None:
        self.cluster.progress = Progress(percent=percent, epochs=100, metrics={"loss": loss})

    # What holds.

    @invariant()
    def it_would_come_to_rest(self) -> None:
        twin = self.cluster.clone()
        twin.rest()
        at_rest(twin)

    def teardown(self) -> None:
        """Left in peace, every job comes to an end."""
        if not hasattr(self, "cluster"):
            return
        cluster = self.cluster
        cluster.all_is_well()
        cluster.edit(explanation=None)
        if cluster.job.spec.serving is not None:
            cluster.edit(
                serving=cluster.job.spec.serving.model_copy(update={"backend": "deployment"})
            )
        for _ in range(40):
            cluster.rest()
            if cluster.phase in (*ENDS, "Suspended") or not cluster.is_ours:
                return
            cluster.pass_time(700)
            cluster.rest()
            self.go_well(cluster)
        raise AssertionError(f"stuck in {cluster.job.status}")


pytestmark = pytest.mark.timeout(7200 if LONG else 300)
TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=3000 if LONG else 200,
    stateful_step_count=80 if LONG else 40,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=LONG,
)
