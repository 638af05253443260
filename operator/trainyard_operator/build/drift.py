"""Digests of what matters of an object, taken alike of what is wanted and of what there is.

Somebody may have changed it by hand, and the API server fills in defaults: whole objects cannot be
compared.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from trainyard_operator.brain.plan import Manifest


def service_digest(service: Manifest) -> str:
    """Of where a Service leads: its selector and its ports."""
    spec = service.get("spec") or {}
    ports = [
        [port.get("name", ""), port.get("port"), str(port.get("targetPort", port.get("port")))]
        for port in spec.get("ports") or []
    ]
    return digest({"selector": spec.get("selector") or {}, "ports": ports})


def policy_digest(policy: Manifest) -> str:
    """Of whom a NetworkPolicy lets in."""
    return digest(policy.get("spec") or {})


def digest(content: Any) -> str:
    """Sixteen hexadecimal digits of plain JSON types."""
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
