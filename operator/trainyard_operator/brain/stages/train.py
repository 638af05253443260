"""Train: a gang of workers learns and evaluates the model; the gates decide on it."""

from __future__ import annotations

from trainyard_api.names import gang_service_name
from trainyard_api.results import TrainResult
from trainyard_api.spec import Evaluation, Gate
from trainyard_api.status import Artifacts, EvaluationStatus
from trainyard_operator.brain.draft import Draft
from trainyard_operator.brain.finish import fail
from trainyard_operator.brain.gang.gang import Gang, run_gang
from trainyard_operator.build.networking import build_gang_policy, build_gang_service
from trainyard_operator.build.pods import build_worker


def decide(draft: Draft) -> None:
    """Bring the stage forward."""
    job, run = draft.job, draft.run
    draft.update(phase="Training")
    pods = [
        build_worker(job, run, draft.attempt, index, draft.settings)
        for index in range(job.spec.workers.replicas)
    ]
    _ensure_network(draft)
    result = run_gang(draft, Gang("Train", "train", pods))
    if result is not None and result.train is not None:
        _finish(draft, result.train)


def failed_gates(evaluation: Evaluation, metrics: dict[str, float]) -> list[str]:
    """What does not hold, a sentence each; empty where all gates pass."""
    return [text for gate in evaluation.gates if (text := _check(gate, metrics)) is not None]


def _check(gate: Gate, metrics: dict[str, float]) -> str | None:
    value = metrics.get(gate.metric)
    if value is None:
        return f"{gate.metric} was not measured"
    if gate.minimum is not None and not value >= gate.minimum:
        return f"{gate.metric} {value:.4f} is below the minimum {gate.minimum:g}"
    if gate.maximum is not None and not value <= gate.maximum:
        return f"{gate.metric} {value:.4f} is above the maximum {gate.maximum:g}"
    return None


def _ensure_network(draft: Draft) -> None:
    name = gang_service_name(draft.job.metadata.name, draft.run)
    if all(service.name != name for service in draft.observed.services):
        draft.create(build_gang_service(draft.job, draft.run))
    if name not in draft.observed.policies:
        draft.create(build_gang_policy(draft.job, draft.run))
    for service in draft.observed.services:
        if service.stage == "train" and service.name != name:
            draft.delete("Service", service.name)
    for policy in draft.observed.policies - {name}:
        draft.delete("NetworkPolicy", policy)


def _finish(draft: Draft, result: TrainResult) -> None:
    job = draft.job
    text = f"{result.epochs} epochs, {result.steps} steps"
    text += " (stopped early)" if result.stoppedEarly else ""
    draft.update_stage("Train", state="Succeeded", completionTime=draft.timestamp, message=text)
    draft.update(artifacts=Artifacts(model=result.model, keras=result.keras), progress=None)
    draft.set_attempt(1)
    draft.set_condition("Trained", "True", "TrainingFinished", text)
    draft.event("Normal", "Trained", text)
    failures = failed_gates(job.spec.evaluation, result.metrics)
    gates = "None" if not job.spec.evaluation.gates else "Failed" if failures else "Passed"
    evaluation = EvaluationStatus(metrics=result.metrics, examples=result.examples, gates=gates)
    draft.update(evaluation=evaluation)
    measured = ", ".join(f"{name} {value:.4f}" for name, value in result.metrics.items())
    if failures:
        draft.set_condition("Evaluated", "False", "GateFailed", "; ".join(failures))
        fail(draft, "GateFailed", f"nothing is rolled out: {'; '.join(failures)}")
        return
    draft.set_condition(
        "Evaluated", "True", "GatesPassed" if gates == "Passed" else "Measured", measured
    )
    draft.event("Normal", "Evaluated", f"{measured} on {result.examples} examples")
