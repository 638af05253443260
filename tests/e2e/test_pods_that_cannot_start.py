"""What keeps a pod from starting stands in status, in words that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cluster import wait_for
from tests.e2e.conftest import Namespace

MISSING_SECRET: dict[str, Any] = {
    "spec": {
        "volumes": [{"name": "keys", "secret": {"secretName": "team-keys"}}],
        "containers": [
            {"name": "trainer", "volumeMounts": [{"name": "keys", "mountPath": "/keys"}]}
        ],
    }
}
MISSING_CONFIG: dict[str, Any] = {
    "spec": {
        "volumes": [{"name": "lists", "configMap": {"name": "labels"}}],
        "containers": [
            {"name": "trainer", "volumeMounts": [{"name": "lists", "mountPath": "/lists"}]}
        ],
    }
}


@pytest.mark.parametrize(
    ("template", "reason", "said", "mend"),
    [
        (
            MISSING_SECRET,
            "SecretNotFound",
            "Secret team-keys does not exist",
            ("create", "secret", "generic", "team-keys", "--from-literal=a=b"),
        ),
        (
            MISSING_CONFIG,
            "ConfigMapNotFound",
            "ConfigMap labels does not exist",
            ("create", "configmap", "labels", "--from-literal=a=b"),
        ),
    ],
)
def test_what_a_volume_lacks_is_named_and_its_coming_lets_the_job_go_on(
    namespace: Namespace, template: dict[str, Any], reason: str, said: str, mend: tuple[str, ...]
) -> None:
    namespace.apply("waits", workers={"template": template}, training={"epochs": 1})
    wait_for(
        "the reason",
        lambda: namespace.condition("waits", "Running").get("reason") == reason,
        60,
        pause=0.5,
    )
    assert said in namespace.condition("waits", "Running")["message"]
    namespace.cluster.kubectl(*mend, "-n", namespace.name)
    namespace.wait_for_phase("waits", "Succeeded")
