"""Makes the certificates that the cluster's programs know each other by.

They are made on the spot, for one machine, and never leave it. What exists is kept, so that a
kubeconfig that somebody copied goes on working; what is about to expire is made again.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from trainyard_local.addresses import Addresses

LIFETIME = dt.timedelta(days=3650)
RENEW_BEFORE = dt.timedelta(days=30)
AUTHORITY = "ca"
FRONT_PROXY_AUTHORITY = "front-proxy-ca"
SERVICE_ACCOUNT = "service-account"


@dataclass(frozen=True)
class Identity:
    """A certificate that is needed.

    Attributes:
        file: the file's name, without its ending.
        name: the common name, which is the user's name to the API server.
        groups: the organizations, which are the user's groups.
        hosts: names and addresses; with them it serves, without them it asks.
        authority: who signs it.
    """

    file: str
    name: str
    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    authority: str = AUTHORITY


def identities(node: str, addresses: Addresses) -> list[Identity]:
    """Returns the certificates of a cluster."""
    api_hosts = (
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
        "localhost",
        "127.0.0.1",
        addresses.node_ip,
        addresses.api_service_ip,
    )
    masters = ("system:masters",)
    return [
        Identity("apiserver", "kube-apiserver", hosts=api_hosts),
        Identity("apiserver-kubelet-client", "kube-apiserver-kubelet-client", masters),
        Identity("kubelet-serving", node, hosts=(node, addresses.node_ip)),
        Identity("kubelet", f"system:node:{node}", ("system:nodes",)),
        Identity("controller-manager", "system:kube-controller-manager"),
        Identity("scheduler", "system:kube-scheduler"),
        Identity("proxy", "system:kube-proxy"),
        Identity("coredns", "system:coredns"),
        Identity("admin", "trainyard-admin", masters),
        Identity("front-proxy-client", "front-proxy-client", authority=FRONT_PROXY_AUTHORITY),
    ]


def ensure(folder: Path, wanted: Sequence[Identity], now: dt.datetime) -> None:
    """Makes what is missing, outdated or about to expire.

    Args:
        folder: takes the files: `NAME.crt` and `NAME.key`.
        wanted: the certificates.
        now: the time, with a zone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / f"{SERVICE_ACCOUNT}.key").exists():
        _write_key_pair(folder)
    for authority in (AUTHORITY, FRONT_PROXY_AUTHORITY):
        if not _is_good(folder, authority, now):
            _make_authority(folder, authority, now)
    for identity in wanted:
        if not _is_good(folder, identity.file, now, identity):
            _make(folder, identity, now)


def _is_good(folder: Path, name: str, now: dt.datetime, identity: Identity | None = None) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())
    except (OSError, ValueError):
        return False
    if not (folder / f"{name}.key").exists():
        return False
    if certificate.not_valid_after_utc - now < RENEW_BEFORE:
        return False
    if identity is None:
        return True
    authority = x509.load_pem_x509_certificate((folder / f"{identity.authority}.crt").read_bytes())
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return certificate.subject == _subject(identity.name, identity.groups) and (
        _hosts(certificate) == set(identity.hosts)
    )


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*names.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def _make_authority(folder: Path, name: str, now: dt.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(f"trainyard-{name}", ())
    builder = _builder(subject, subject, key, now)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    usage = _usage(sign_certificates=True)
    _write(
        folder, name, builder.add_extension(usage, critical=True).sign(key, hashes.SHA256()), key
    )


def _make(folder: Path, identity: Identity, now: dt.datetime) -> None:
    signer = x509.load_pem_x509_certificate((folder / f"{identity.authority}.crt").read_bytes())
    signer_key = serialization.load_pem_private_key(
        (folder / f"{identity.authority}.key").read_bytes(), None
    )
    assert isinstance(signer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(identity.name, identity.groups)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if identity.hosts else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = _builder(subject, signer.subject, key, now)
    builder = builder.add_extension(
        x509.BasicConstraints(ca=False, path_length=None), critical=True
    )
    builder = builder.add_extension(_usage(sign_certificates=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
    if identity.hosts:
        names = x509.SubjectAlternativeName([_general_name(host) for host in identity.hosts])
        builder = builder.add_extension(names, critical=False)
    _write(folder, identity.file, builder.sign(signer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _subject(name: str, groups: Sequence[str]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _write(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    _write_private(folder / f"{name}.key", _private(key))
    (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _write_key_pair(folder: Path) -> None:
    """Makes the key that service account tokens are signed with, and its public half."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (folder / f"{SERVICE_ACCOUNT}.pub").write_bytes(public)
    _write_private(folder / f"{SERVICE_ACCOUNT}.key", _private(key))


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
