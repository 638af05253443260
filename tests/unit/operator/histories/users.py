"""What its user asks of a job."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from tests.unit.operator.histories.history import History, happens
from trainyard_api.names import ANNOTATION_REDEPLOY, ANNOTATION_RETRAIN, MANAGER
from trainyard_api.spec import Explanation, Serving
from trainyard_api.spec.compression import Compression
from trainyard_api.spec.shared import Resources


class Users(History):
    """Edits, annotations and suspension."""

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
