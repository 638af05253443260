"""What pip inside of a build has to know of this machine, and the image must never contain.

An index, its credentials, a folder of wheels and the certificates of a network's own authority
are taken from the settings of this machine's pip, and reach the build as secrets and as a mount.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PASSED = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "proxy",
    "retries",
    "timeout",
    "default-timeout",
)
_SECTIONS = ("global", "install", ":env:")
_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_CERTIFICATE_IN_BUILD = "/run/secrets/ca.pem"


@dataclass(frozen=True)
class PipAccess:
    """How pip reaches packages.

    Attributes:
        settings: of pip, without its certificates.
        certificates: a bundle of certificates, if not the system's own.
    """

    settings: Mapping[str, str]
    certificates: Path | None

    @property
    def config(self) -> str:
        """The settings as a pip.conf that holds inside of a build."""
        lines = ["[global]"]
        for key, value in self.settings.items():
            lines += [f"{key} ="] + [f"    {word}" for word in value.split()]
        if self.certificates is not None:
            lines.append(f"cert = {_CERTIFICATE_IN_BUILD}")
        return "\n".join(lines) + "\n"

    @property
    def folders(self) -> list[Path]:
        """Folders of wheels on this machine, to be mounted where they are."""
        words = self.settings.get("find-links", "").split()
        paths = [Path(word.removeprefix("file://")) for word in words]
        return [path for path in paths if path.is_absolute() and path.is_dir()]


def read(environment: Mapping[str, str]) -> PipAccess:
    """The access that this machine's pip has."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"],
        capture_output=True,
        text=True,
        check=False,
        env=dict(environment),
    )
    listed = parse(done.stdout)
    named = [environment.get(name) for name in _CERTIFICATES] + [listed.get("cert")]
    bundle = next((Path(name) for name in named if name and Path(name).is_file()), None)
    return PipAccess({k: v for k, v in listed.items() if k in _PASSED}, bundle)


def parse(listing: str) -> dict[str, str]:
    """The settings in what `pip config list` prints; a narrower section wins.

    >>> parse("global.timeout='60'\\n:env:.timeout='180'")
    {'timeout': '180'}
    """
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listing.splitlines():
        name, equals, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if equals and section in found:
            found[section][key] = str(ast.literal_eval(value))
    merged: dict[str, str] = {}
    for section in _SECTIONS:
        merged |= found[section]
    return merged
