"""Where the API server is, and who we are to it.

kopf's own login finds both (a pod's service account, or a kubeconfig), so the operator and its
watches are always the same to the API server. The official client would do it too, at three
times the CPU of a request, and 10 MiB of resident memory: kopf loads it too where it is installed,
so what is saved shows in the image only.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from pathlib import Path
from typing import Any

import aiohttp
import kopf
from yarl import URL

log = logging.getLogger(__name__)

SERVICE_ACCOUNT_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
_TOKEN_SECONDS = 60.0
"""How long a token that was read from disk is believed; the kubelet renews it well before its
end."""
_CONNECTIONS = 64
_KEEP_ALIVE_SECONDS = 60.0
"""Below the 90 s after which the API server itself closes what is idle: no request runs into it."""
_UNAUTHORIZED = 401


class NotConfigured(Exception):
    """Nothing says where the API server is: run in a pod, or set KUBECONFIG."""


class TokenFile:
    """A service account's token, which is renewed on disk while we run."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._token = path.read_text().strip()
        self._read_at = time.monotonic()

    def current(self) -> str:
        """The token, at most a minute old."""
        if time.monotonic() >= self._read_at + _TOKEN_SECONDS:
            self.read_again()
        return self._token

    def read_again(self) -> None:
        """Read it now; a file that cannot be read leaves the token that we have."""
        self._read_at = time.monotonic()
        try:
            self._token = self._path.read_text().strip()
        except OSError as error:
            log.warning("the service account's token cannot be read again: %s", error)


class Connection:
    """One pool of connections to the API server, with our credentials."""

    def __init__(
        self, session: aiohttp.ClientSession, server: str, token: TokenFile | None = None
    ) -> None:
        """Args:
        session: brings certificates and whatever credentials do not change.
        server: URL of the API server.
        token: of a service account, if that is who we are.
        """
        self._session = session
        self._server = server.rstrip("/")
        self._token = token

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(
        self,
        method: str,
        target: str,
        timeout: aiohttp.ClientTimeout,
        body: bytes | None = None,
        content_type: str | None = None,
        accept: str | None = None,
    ) -> aiohttp.ClientResponse:
        """Send a request; the response's body is the caller's to read or to close.

        Args:
            method: of HTTP.
            target: path and query, percent-encoded.
            timeout: for the request and for reading its response.
            body: as it is sent.
            content_type: of the body.
            accept: of the response; JSON by default.

        Raises:
            aiohttp.ClientError, TimeoutError, OSError: there is no response.
        """
        headers = {"Content-Type": content_type} if content_type else {}
        if accept is not None:
            headers["Accept"] = accept
        sent = self._authorize(headers)
        url = URL(self._server + target, encoded=True)
        response = await self._session.request(
            method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        )
        if response.status != _UNAUTHORIZED or self._token is None:
            return response
        self._token.read_again()
        if self._authorize(headers) == sent:
            return response
        response.release()
        return await self._session.request(
            method, url, data=body, headers=headers, timeout=timeout, allow_redirects=False
        )

    def _authorize(self, headers: dict[str, str]) -> str:
        """Add the token as it is now; returned too."""
        if self._token is None:
            return ""
        token = self._token.current()
        headers["Authorization"] = f"Bearer {token}"
        return token


def login(settings: kopf.OperatorSettings, **arguments: Any) -> kopf.ConnectionInfo | None:
    """Who we are: the pod's service account, or outside of pods the user of the kubeconfig."""
    arguments["settings"] = settings
    return kopf.login_with_service_account(**arguments) or kopf.login_with_kubeconfig(**arguments)


async def connect() -> Connection:
    """A connection with the pod's service account, or with the user's kubeconfig outside.

    Raises:
        NotConfigured: there is neither.
    """
    info = login(kopf.OperatorSettings(), logger=log)
    if info is None or not info.server:
        raise NotConfigured("no service account and no kubeconfig: run in a pod, or set KUBECONFIG")
    token = None
    if info.token and SERVICE_ACCOUNT_TOKEN.exists():
        token = TokenFile(SERVICE_ACCOUNT_TOKEN)
        info = dataclasses.replace(info, token=None)
    return Connection(open_session(info), info.server, token)


def open_session(info: kopf.ConnectionInfo) -> aiohttp.ClientSession:
    """A session that does nothing for a request but send it: no cookies, no compression.

    Decompression costs more than the network within a cluster.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=_CONNECTIONS, keepalive_timeout=_KEEP_ALIVE_SECONDS, ssl=info.as_ssl_context()
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "trainyard-operator",
            **info.as_http_headers(),
        },
        auto_decompress=False,
        proxy=info.proxy_url,
        trust_env=info.trust_env,
    )
