"""Locations on disks and on the web."""

from __future__ import annotations

import datetime
import gzip
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyarrow import parquet

from trainyard_api.spec import Data
from trainyard_trainer.data import load
from trainyard_trainer.errors import InvalidData, InvalidSpec, StoreUnavailable
from trainyard_trainer.store import STORE, Location, web


def test_folder_is_listed_without_what_is_hidden(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt", ".hidden", ".git/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    folder = Location.at(f"file://{tmp_path}", {})

    assert [(entry.name, entry.size) for entry in folder.files()] == [("a/c.txt", 7), ("b.txt", 5)]
    assert folder.local == tmp_path
    inner = folder.below("a/c.txt")
    assert (inner.read(), inner.size(), inner.name) == (b"a/c.txt", 7, "c.txt")
    assert inner.uri == f"file://{tmp_path}/a/c.txt"
    assert inner.filesystem.cat_file(inner.path) == b"a/c.txt"
    assert [entry.name for entry in inner.files()] == [""]
    with inner.open() as file:
        file.seek(2)
        assert file.read() == b"c.txt"


def test_identity_of_a_file_changes_with_its_content(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one")
    location = Location.at(f"file://{tmp_path}/x", {})
    before = location.files()[0].identity
    assert location.files()[0].identity == before
    (tmp_path / "x").write_text("other")
    assert location.files()[0].identity != before


def test_claim_is_a_folder_below_the_volumes(tmp_path: Path) -> None:
    environ = {"TRAINYARD_VOLUMES": str(tmp_path)}
    assert Location.at("pvc://data/sets", environ).local == tmp_path / "data" / "sets"


def test_missing_file_is_invalid_data_and_a_missing_one_of_the_store_is_away(
    tmp_path: Path,
) -> None:
    location = Location.at(f"file://{tmp_path}/away", {})
    assert not location.exists()
    assert location.files() == []
    with pytest.raises(InvalidData, match=r"spec\.data\.source\.uri.*nothing is there"):
        location.read()
    with pytest.raises(StoreUnavailable, match="check that the volume is mounted"):
        Location.at(f"file://{tmp_path}/away", {}, STORE).read()


def test_scheme_without_a_backend_is_refused_by_field() -> None:
    with pytest.raises(InvalidSpec, match=r"spec\.storage\.uri"):
        Location.at("https://host/run", {}, STORE)


@dataclass
class Host:
    """What the web server of a test answers."""

    files: dict[str, bytes]
    status: list[int] = field(default_factory=list)
    asked: int = 0
    sent: int = 0
    url: str = ""


def test_web_address_is_read_by_ranges(trusted: Host) -> None:
    trusted.files["/x.bin?token=a%2Fb"] = b"0123456789"
    location = Location.at(f"{trusted.url}/x.bin?token=a%2Fb", {})

    assert location.exists()
    assert location.local is None
    assert location.name == "x.bin"
    assert [(entry.name, entry.size) for entry in location.files()] == [("", 10)]
    assert location.read() == b"0123456789"
    with location.guarded(), location.open() as file:
        file.seek(5)
        assert file.read(2) == b"56"


def test_web_address_without_a_file_is_invalid_data(trusted: Host) -> None:
    location = Location.at(f"{trusted.url}/none?token=secret", {})
    assert not location.exists()
    with pytest.raises(InvalidData, match=r"spec\.data\.source\.uri.*nothing is there") as caught:
        location.read()
    assert "secret" not in str(caught.value)


def test_host_that_stumbles_is_asked_again(trusted: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_WAITS", (0.0, 0.0))
    trusted.files["/x"] = b"whole"
    trusted.status = [503, 500]
    assert Location.at(f"{trusted.url}/x", {}).read() == b"whole"


def test_host_that_stays_down_is_an_unavailable_store(
    trusted: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_WAITS", (0.0,))
    trusted.status = [503] * 100
    for ask in ("exists", "read", "files"):
        with pytest.raises(StoreUnavailable, match="does not answer"):
            getattr(Location.at(f"{trusted.url}/x", {}), ask)()


@pytest.mark.parametrize("form", ["csv", "csv.gz", "parquet"])
def test_a_table_of_the_web_is_fetched_once(trusted: Host, form: str) -> None:
    """It is read three times: over the web, that would be three times the traffic."""
    random = np.random.default_rng(0)
    numbers = random.normal(size=4000)
    columns = {"a": numbers, "b": random.normal(size=4000), "label": numbers > 0}
    if form == "parquet":
        sink = pa.BufferOutputStream()
        parquet.write_table(pa.table(columns), sink)
        content = sink.getvalue().to_pybytes()
    else:
        cells = zip(*columns.values(), strict=True)
        rows = [",".join(columns), *(",".join(map(str, row)) for row in cells)]
        content = "\n".join(rows).encode()
        content = gzip.compress(content) if form == "csv.gz" else content
    trusted.files[f"/rows.{form}"] = content
    source = {"uri": f"{trusted.url}/rows.{form}", "label": "label"}
    dataset = load(Data.model_validate({"source": source}), {})
    assert len(dataset.train.source) == 4000
    assert dataset.schema.target.names in (("False", "True"), ("false", "true"))
    # The header (or the footer) is looked at before the file is fetched.
    assert trusted.sent < 2.2 * len(content) + 70_000


def test_host_of_an_unknown_authority_is_refused_with_the_cure(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(InvalidData, match=r"not trusted; set SSL_CERT_FILE"):
        Location.at(f"{host.url}/x", {}).read()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    certificate(tmp_path)
    with serving(Host({}), tmp_path) as served:
        yield served


@pytest.fixture
def trusted(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    return host


@contextmanager
def serving(host: Host, folder: Path) -> Iterator[Host]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked += 1
            content = host.files.get(self.path)
            status = host.status.pop(0) if host.status else (200 if content is not None else 404)
            content = content or b""
            if status == 200 and (asked := self.headers.get("Range")):
                first, _, last = asked.removeprefix("bytes=").partition("-")
                total = len(content)
                content = content[int(first) : int(last or total - 1) + 1]
                self.send_response(206)
                end = int(first) + len(content) - 1
                self.send_header("Content-Range", f"bytes {first}-{end}/{total}")
            else:
                self.send_response(status)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                host.sent += len(content)
                self.wfile.write(content)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "host.pem", folder / "host.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    host.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()


def certificate(folder: Path) -> None:
    """An authority, and the certificate that it gives to 127.0.0.1."""
    now = datetime.datetime.now(datetime.UTC)
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("authority", "host")
    ]
    for index, name in enumerate(("authority", "host")):
        made = (
            x509.CertificateBuilder()
            .subject_name(names[index])
            .issuer_name(names[0])
            .public_key(keys[index].public_key())
            .serial_number(index + 1)
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=index == 0, path_length=None), critical=True)
        )
        if index:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        signed = made.sign(keys[0], hashes.SHA256())
        (folder / f"{name}.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "host.key").write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
