"""What others do to the objects of an endpoint, to names and to status, and what the API server
does not take."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.unit.operator.fake_cluster import make_job
from tests.unit.operator.histories.history import PICK, History, happens
from trainyard_api.status import TrainingJobStatus
from trainyard_operator.brain.observed import DeploymentView, PodView, Refusal

KINDS = st.sampled_from(["Pod", "Service", "Deployment", "NetworkPolicy"])


class Others(History):
    """Everybody but the job's user, its pods and the operator."""

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

    def deployment(self, pick: int) -> tuple[str, DeploymentView]:
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

    # What nobody should do.

    @happens()
    def somebody_erases_the_status(self) -> None:
        self.cluster.write(status=TrainingJobStatus())

    @precondition(lambda self: self.cluster.statuses)
    @happens(pick=PICK)
    def somebody_brings_an_older_status_back(self, pick: int) -> None:
        """One of the same run, from before what serves has changed."""
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


def same_work(status: TrainingJobStatus) -> tuple[object, ...]:
    """By what two statuses are of the same work."""
    return status.run, status.serving
