"""The operator's requests are counted by kind, each once."""

import json
from pathlib import Path

from benchmarks.controlplane.audit import READS, WRITES, AuditLog, Request, count


def note(verb: str, resource: str, stage: str = "ResponseComplete", **more: object) -> str:
    return json.dumps(
        {
            "stage": stage,
            "verb": verb,
            "requestURI": f"/api/v1/{resource}",
            "objectRef": {"resource": resource},
            "responseStatus": {"code": 200},
            **more,
        }
    )


def test_a_watch_counts_when_it_begins_and_not_again_when_it_ends() -> None:
    lines = [note("watch", "pods", "ResponseStarted"), note("watch", "pods")]
    assert count(lines) == {Request("watch", "pods"): 1}


def test_other_requests_count_when_they_are_answered() -> None:
    lines = [note("list", "pods", "ResponseStarted"), note("list", "pods")]
    assert count(lines) == {Request("list", "pods"): 1}


def test_reads_and_writes_are_told_apart_and_watches_are_neither() -> None:
    lines = [
        note("get", "trainingjobs"),
        note("list", "pods"),
        note("create", "events"),
        note("watch", "pods", "ResponseStarted"),
    ]
    found = count(lines)
    assert (found.of(READS), found.of(WRITES), found.of(["watch"])) == (2, 1, 1)


def test_a_subresource_and_a_refusal_are_kinds_of_their_own() -> None:
    status = {"resource": "trainingjobs", "subresource": "status"}
    line = note("patch", "", objectRef=status, responseStatus={"code": 409})
    assert [str(request) for request in count([line])] == ["patch trainingjobs/status 409"]


def test_what_is_no_resource_goes_by_its_path() -> None:
    line = note("get", "", objectRef=None, requestURI="/apis?timeout=5s")
    assert [str(request) for request in count([line])] == ["get /apis"]


def test_numbers_a_job_are_ordered_by_frequency() -> None:
    found = count([note("create", "services"), *[note("create", "pods")] * 3])
    assert list(found.per(2).items()) == [("create pods", 1.5), ("create services", 0.5)]


def test_the_log_is_read_on_from_where_it_was_left_and_only_in_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    path.write_text(note("get", "before") + "\n")
    log, line = AuditLog(path), note("create", "pods")
    with path.open("a") as file:
        file.write(line[:10])
        file.flush()
        assert log.new().total() == 0
        file.write(line[10:] + "\n")
    assert log.new() == {Request("create", "pods"): 1}
    assert log.new().total() == 0
