"""Certificates are made once, kept while they are good, and made again when they are not."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509

from trainyard_local import pki
from trainyard_local.addresses import Addresses

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
ADDRESSES = Addresses("10.210.1.0/24", "10.211.4.0/22", "10.212.4.0/22")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pki.ensure(tmp_path / "pki", pki.identities("a", ADDRESSES), NOW)
    return tmp_path / "pki"


def _read(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_kubelet_is_the_nodes_user(folder: Path) -> None:
    subject = _read(folder, "kubelet").subject.rfc4514_string()
    assert "CN=system:node:a" in subject
    assert "O=system:nodes" in subject


def test_api_server_is_trusted_under_all_its_addresses(folder: Path) -> None:
    names = _read(folder, "apiserver").extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    addresses = {str(item) for item in names.value.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.210.1.2", "10.212.4.1"}


def test_front_proxy_has_an_authority_of_its_own(folder: Path) -> None:
    _read(folder, "front-proxy-client").verify_directly_issued_by(_read(folder, "front-proxy-ca"))
    with pytest.raises(ValueError, match="match"):
        _read(folder, "front-proxy-client").verify_directly_issued_by(_read(folder, "ca"))


def test_good_certificates_are_kept(folder: Path) -> None:
    before = _contents(folder)
    pki.ensure(folder, pki.identities("a", ADDRESSES), NOW + dt.timedelta(days=1000))
    assert _contents(folder) == before


def test_expiring_certificates_are_made_again_and_the_token_key_stays(folder: Path) -> None:
    before = _contents(folder)
    later = NOW + pki.LIFETIME - dt.timedelta(days=1)
    pki.ensure(folder, pki.identities("a", ADDRESSES), later)
    after = _contents(folder)
    assert after["service-account.key"] == before["service-account.key"]
    assert after["ca.crt"] != before["ca.crt"]
    _read(folder, "admin").verify_directly_issued_by(_read(folder, "ca"))


def test_other_addresses_make_other_serving_certificates_only(folder: Path) -> None:
    before = _contents(folder)
    moved = Addresses("10.210.2.0/24", "10.211.8.0/22", "10.212.8.0/22")
    pki.ensure(folder, pki.identities("a", moved), NOW)
    changed = {name for name, content in _contents(folder).items() if before[name] != content}
    assert changed == {
        "apiserver.crt",
        "apiserver.key",
        "kubelet-serving.crt",
        "kubelet-serving.key",
    }


def test_keys_are_for_root_alone(folder: Path) -> None:
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.key"))
