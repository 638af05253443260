"""The brain under random histories: whatever happens to a job, some things always hold.

Pods, others and the API server do what they like in any order; the operator decides in between,
by what it sees or by what it saw before, and may be stopped in the middle of a plan. What has to
hold of each decision, and of the cluster once all is carried out, stands in `promises`.

The short form is the same at each run. The long form looks further, and elsewhere each time:

    HYPOTHESIS_PROFILE=long python -m pytest tests/unit/operator/test_random_histories.py
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from tests.unit.operator.fake_cluster import compress_message, make_job, train_message
from tests.unit.operator.played_cluster import PlayedCluster
from tests.unit.operator.promises import ENDS
from trainyard_api.exit_codes import ExitCode
from trainyard_api.names import ANNOTATION_REDEPLOY, ANNOTATION_RETRAIN, MANAGER
from trainyard_api.results import Failure, TerminationMessage
from trainyard_api.spec import Explanation, Serving
from trainyard_api.spec.compression import Compression
from trainyard_api.spec.shared import Resources
from trainyard_api.status import Progress, TrainingJobStatus
from trainyard_operator.brain.observed import Observed, PodView, Refusal

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
POLICY = {"backoffLimit": 2, "infrastructureRestartLimit": 4}
PICK = st.integers(0, 30)
"""Which of several; by its remainder, so that it fits any number of them."""
SECONDS = st.sampled_from([1, 5, 15, 31, 61, 130, 301, 700, 4000, 100_000])
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
KINDS = st.sampled_from(["Pod", "Service", "Deployment", "NetworkPolicy"])
THEN = st.sampled_from(["it sleeps", "it decides", "it rests", "it rests"])
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


def happens(**drawn: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Any]:
    """A rule, after which the operator sleeps, decides once, or brings all to rest."""

    def as_rule(change: Callable[..., None]) -> Any:
        @wraps(change)
        def told(self: Histories, then: str, **values: Any) -> None:
            change(self, **values)
            if then == "it decides":
                self.decides(None)
            elif then == "it rests":
                self.rests()

        given: Any = {"then": THEN, **drawn}
        return rule(**given)(told)

    return as_rule


def same_work(status: TrainingJobStatus) -> tuple[object, ...]:
    """By what two statuses are of the same pods."""
    attempts = [(stage.name, stage.attempts) for stage in status.stages]
    return status.run, status.serving, attempts


class Histories(RuleBasedStateMachine):
    """One job in one cluster."""

    @initialize(spec=SPECS, steps=STEPS, again=STEPS)
    def a_job_is_created(self, spec: dict[str, object], steps: int, again: int) -> None:
        """And goes its way for a while, perhaps to its end and on to its next run."""
        self.number, self.spec = 1, spec
        policy = spec.get("runPolicy") or {}
        assert isinstance(policy, dict)
        self.cluster = PlayedCluster(make_job(**{**spec, "runPolicy": {**POLICY, **policy}}))
        self.seen: Observed | None = None
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

    def decides(self, operations: int | None) -> None:
        if self.cluster.deleted_job:
            return
        observed = self.cluster.observe()
        self.cluster.carry_out(observed, self.cluster.decide(observed), operations)
        self.seen = None

    def rests(self) -> None:
        self.cluster.rest()
        self.seen = None

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

    def goes_well(self, steps: int) -> None:
        for _ in range(steps):
            self.rests()
            self.go_well(self.cluster)

    @happens()
    def pods_run(self) -> None:
        self.cluster.run_all()

    @happens()
    def deployments_become_ready(self) -> None:
        self.cluster.ready_all()

    @happens(percent=st.integers(0, 100), loss=st.floats(allow_nan=False, allow_infinity=False))
    def the_chief_says_how_far_it_is(self, percent: int, loss: float) -> None:
        self.cluster.progress = Progress(percent=percent, epochs=100, metrics={"loss": loss})

    # Pods.

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

    # The endpoint's objects.

    @precondition(lambda self: self.cluster.deployments)
    @happens(
        pick=PICK,
        ready=st.integers(0, 2),
        trouble=st.sampled_from(["", "exceeded quota: pods"]),
        waiting=st.sampled_from(["", "ImagePullBackOff", "CrashLoopBackOff"]),
    )
    def a_deployment_loses_replicas(
        self, pick: int, ready: int, trouble: str, waiting: str
    ) -> None:
        name, view = self.deployment(pick)
        ready = min(ready, view.replicas)
        self.cluster.deployments[name] = replace(
            view, ready_replicas=ready, current=ready == view.replicas, trouble=trouble
        )
        if waiting:
            pod = f"{name}-serving-0"
            said = {"waiting_reason": waiting, "waiting_message": "no such image"}
            self.cluster.pods[pod] = PodView(pod, "serve", view.run, 1, 0, **said)  # type: ignore[arg-type]

    def deployment(self, pick: int):
        names = sorted(self.cluster.deployments)
        name = names[pick % len(names)]
        return name, self.cluster.deployments[name]

    @precondition(lambda self: self.cluster.deployments)
    @happens(pick=PICK, replicas=st.integers(0, 4), autoscaled=st.booleans())
    def somebody_scales_a_deployment(self, pick: int, replicas: int, autoscaled: bool) -> None:
        name, view = self.deployment(pick)
        ready = min(view.ready_replicas, replicas)
        self.cluster.deployments[name] = replace(
            view,
            replicas=replicas,
            ready_replicas=ready,
            current=ready == replicas,
            autoscaled=view.autoscaled or autoscaled,
        )

    @precondition(lambda self: self.cluster.deployments)
    @happens(pick=PICK)
    def somebody_deletes_a_deployment(self, pick: int) -> None:
        name, _ = self.deployment(pick)
        del self.cluster.deployments[name]
        self.cluster.serving_pods_go(name)

    @precondition(lambda self: self.cluster.services)
    @happens(pick=PICK, deleted=st.booleans())
    def somebody_harms_a_service(self, pick: int, deleted: bool) -> None:
        names = sorted(self.cluster.services)
        name = names[pick % len(names)]
        if deleted:
            del self.cluster.services[name]
            return
        view = self.cluster.services[name]
        self.cluster.services[name] = replace(view, run="", digest="edited")
        self.cluster.selectors[name] = {"edited": "yes"}

    @precondition(lambda self: self.cluster.policies)
    @happens(deleted=st.booleans())
    def somebody_harms_the_policies(self, deleted: bool) -> None:
        for name, view in list(self.cluster.policies.items()):
            if deleted:
                del self.cluster.policies[name]
            else:
                self.cluster.policies[name] = replace(view, digest="edited")

    # The API server.

    @happens(kind=KINDS, invalid=st.booleans())
    def the_api_server_refuses(self, kind: str, invalid: bool) -> None:
        self.cluster.refuses[kind] = Refusal(kind, "", f"no {kind} today", invalid)

    @precondition(lambda self: self.cluster.refuses)
    @happens()
    def the_api_server_takes_everything_again(self) -> None:
        self.cluster.refuses.clear()

    @happens(name=st.sampled_from(["Service/fashion", "Service/other"]))
    def somebody_takes_a_name(self, name: str) -> None:
        if name.partition("/")[2] not in self.cluster.services:
            self.cluster.foreign.add(name)

    @precondition(lambda self: self.cluster.job.status.run is not None)
    @happens(name=st.sampled_from(["fashion", "other"]))
    def somebody_takes_the_name_of_a_revision(self, name: str) -> None:
        if (revision := f"{name}-{self.cluster.run_hash}") not in self.cluster.deployments:
            self.cluster.foreign.add(f"Deployment/{revision}")

    @precondition(lambda self: self.cluster.foreign)
    @happens(seen=st.booleans())
    def the_names_are_freed(self, seen: bool) -> None:
        self.cluster.foreign.clear()
        if seen:
            self.cluster.names_are_seen()

    # Its user.

    @happens(suspend=st.booleans())
    def suspends_or_resumes(self, suspend: bool) -> None:
        self.edit_policy(suspend=suspend)

    @happens(
        field=st.sampled_from(["activeDeadlineSeconds", "ttlSecondsAfterFinished"]),
        seconds=st.none() | st.sampled_from([60, 1000, 100_000]),
    )
    def edits_a_time(self, field: str, seconds: int | None) -> None:
        self.edit_policy(**{field: seconds})

    @happens(
        field=st.sampled_from(["backoffLimit", "infrastructureRestartLimit"]),
        limit=st.integers(0, 4),
    )
    def edits_a_limit(self, field: str, limit: int) -> None:
        self.edit_policy(**{field: limit})

    @happens(policy=st.sampled_from(["All", "Running", "None"]))
    def edits_what_is_kept(self, policy: str) -> None:
        self.edit_policy(cleanPodPolicy=policy)

    @happens(ours=st.booleans())
    def gives_the_job_to_another_manager(self, ours: bool) -> None:
        self.edit_policy(managedBy=MANAGER if ours else "example.com/other")

    def edit_policy(self, **fields: object) -> None:
        self.cluster.edit(runPolicy=self.cluster.job.spec.runPolicy.model_copy(update=fields))

    @happens(
        name=st.sampled_from([None, "other"]),
        replicas=st.integers(1, 3),
        port=st.sampled_from([8080, 9090]),
        memory=st.sampled_from(["128Mi", "256Mi"]),
        backend=st.sampled_from(["deployment", "deployment", "deployment", "kserve"]),
    )
    def edits_serving(
        self, name: str | None, replicas: int, port: int, memory: str, backend: str
    ) -> None:
        resources = Resources(requests={"memory": memory})
        serving = Serving(name=name, replicas=replicas, port=port, resources=resources)
        self.cluster.edit(serving=serving.model_copy(update={"backend": backend}))

    @happens()
    def takes_serving_out(self) -> None:
        self.cluster.edit(serving=None)

    @happens(epochs=st.integers(1, 3))
    def edits_training(self, epochs: int) -> None:
        training = self.cluster.job.spec.training
        self.cluster.edit(training=training.model_copy(update={"epochs": epochs}))

    @happens(compress=st.booleans())
    def edits_compression(self, compress: bool) -> None:
        self.cluster.edit(compression=Compression() if compress else None)

    @happens(wrong=st.booleans())
    def edits_what_is_not_built(self, wrong: bool) -> None:
        self.cluster.edit(explanation=Explanation() if wrong else None)

    @happens(
        name=st.sampled_from([ANNOTATION_RETRAIN, ANNOTATION_REDEPLOY]),
        value=st.sampled_from(["once", "twice"]),
    )
    def asks_by_annotation(self, name: str, value: str) -> None:
        self.cluster.annotate(name, value)

    @precondition(lambda self: self.cluster.phase == "Failed")
    @happens()
    def asks_for_a_failed_job_once_more(self) -> None:
        self.cluster.retry = True

    @happens(unknown=st.booleans())
    def a_later_version_adds_a_field(self, unknown: bool) -> None:
        self.cluster.unknown = ("spec.workers.novelty",) if unknown else ()

    # What nobody should do.

    @happens()
    def somebody_erases_the_status(self) -> None:
        self.cluster.write(status=TrainingJobStatus())

    @precondition(lambda self: self.cluster.statuses)
    @happens(pick=PICK)
    def somebody_brings_an_older_status_back(self, pick: int) -> None:
        """One of the same run and attempts, from before what serves has changed."""
        now = same_work(self.cluster.job.status)
        older = [status for status in self.cluster.statuses if same_work(status) == now]
        if older:
            self.cluster.write(status=older[pick % len(older)])

    @precondition(lambda self: self.cluster.deleted_job)
    @happens()
    def a_namesake_is_created(self) -> None:
        self.number += 1
        job = make_job(**self.spec)
        metadata = job.metadata.model_copy(update={"uid": f"u-{self.number}"})
        self.cluster.namesake(job.model_copy(update={"metadata": metadata}))

    # What holds.

    @invariant()
    def it_would_come_to_rest(self) -> None:
        twin = self.cluster.clone()
        twin.rest()
        twin.promises.at_rest(twin)

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


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=3000 if LONG else 120,
    stateful_step_count=80 if LONG else 40,
    derandomize=not LONG,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=LONG,
)
