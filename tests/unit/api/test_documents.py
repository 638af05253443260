"""YAML is read as kubectl reads it."""

from __future__ import annotations

import pytest

from trainyard_api.documents import read_documents
from trainyard_api.problems import parse_job


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E-3", 0.001),
        ("1e3", 1000),
        ("+2e+2", 200),
        ("-1.5e2", -150),
        (".5e1", 5),
        ("1.e1", 10),
        ("1.0e+38", 1.0e38),
        ("5.0", 5),
        ("0.1", 0.1),
        ("1e400", float("inf")),
        ("'1e-3'", "1e-3"),
        ("e3", "e3"),
        ("1e", "1e"),
        ("1e3x", "1e3x"),
        ("0x1e3", 0x1E3),
    ],
)
def test_numbers(text: str, value: object) -> None:
    (document,) = read_documents(f"a: {text}")
    assert isinstance(document, dict)
    assert document["a"] == value
    assert isinstance(document["a"], type(value))


def test_a_learning_rate_may_be_written_with_an_exponent() -> None:
    job = parse_job(
        """
apiVersion: trainyard.dev/v1alpha1
kind: TrainingJob
metadata: {name: a}
spec:
  data: {source: {uri: "sklearn://digits"}}
  model: {architecture: dense}
  training: {epochs: 1e0, optimizer: {name: adam, learningRate: 1e-3}}
"""
    )
    assert job.spec.training.optimizer.learningRate == 0.001
    assert job.spec.training.epochs == 1
