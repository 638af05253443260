"""What a cluster was started as is kept, and `up` never makes it less."""

import pytest

from trainyard_local.extent import Extent

PLAIN = Extent(control_plane_only=True)
SCHEDULED = Extent(control_plane_only=True, scheduler=True)
AUDITED = Extent(control_plane_only=True, scheduler=True, audit_user="system:serviceaccount:a:b")


@pytest.mark.parametrize("extent", [Extent(), PLAIN, SCHEDULED, AUDITED, Extent(audit_user="me")])
def test_what_was_written_is_read_again(extent: Extent) -> None:
    assert Extent.from_text(extent.to_text() + "\n") == extent


@pytest.mark.parametrize(
    ("there", "wanted", "covers"),
    [
        (Extent(), PLAIN, True),
        (Extent(), SCHEDULED, True),
        (PLAIN, SCHEDULED, False),
        (PLAIN, Extent(), False),
        (SCHEDULED, PLAIN, True),
        (SCHEDULED, AUDITED, False),
        (AUDITED, SCHEDULED, True),
    ],
)
def test_a_cluster_covers_what_is_less_than_itself(
    there: Extent, wanted: Extent, covers: bool
) -> None:
    assert there.covers(wanted) is covers


def test_a_whole_cluster_stays_whole_when_its_control_plane_is_asked_for() -> None:
    assert not PLAIN.joined(Extent()).control_plane_only


def test_a_scheduler_and_an_audit_stay() -> None:
    assert PLAIN.joined(AUDITED) == AUDITED
