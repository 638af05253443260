"""An image's name is understood as container tools understand it."""

import pytest

from trainyard_local.errors import ClusterError
from trainyard_local.images import parse_reference


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("trainyard/trainer:dev", "docker.io/trainyard/trainer:dev"),
        ("localhost/trainer", "localhost/trainer:latest"),
        ("10.210.1.2:5000/trainer:1", "10.210.1.2:5000/trainer:1"),
        ("registry.example.com/a/b:1.2", "registry.example.com/a/b:1.2"),
        ("registry.example.com:5000/a", "registry.example.com:5000/a:latest"),
    ],
)
def test_names_are_completed(text: str, full: str) -> None:
    assert str(parse_reference(text)) == full


def test_a_digest_is_refused_with_what_to_do() -> None:
    with pytest.raises(ClusterError, match=r"give .* a tag"):
        parse_reference("a@sha256:0")
