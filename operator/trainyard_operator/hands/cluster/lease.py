"""Of several operators, one acts: the holder of a Lease.

A holder renews its Lease every other second. Others take it when it has stood unchanged for as
long as the holder has promised to act at most, counted by their own clocks, so that clocks may
differ as they like. A holder that cannot renew stops some time before that: it counts from before
its last renewal was sent, they count from after they have seen it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from trainyard_operator.brain.plan import Manifest
from trainyard_operator.hands.cluster.api import Api, ApiError, ApiUnavailable

log = logging.getLogger(__name__)

_FAULTS = (ApiError, ApiUnavailable, TimeoutError)
_ATTEMPT_SECONDS = 3.0
"""An attempt that takes longer may hang on a dead connection; another gets a new one."""


class LeadershipLost(Exception):
    """Another operator acts from now on, or will soon: end this one."""


class Election:
    """One candidate for a Lease."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        name: str,
        identity: str,
        *,
        lease_seconds: int = 10,
        renew_every: float = 2.0,
        renew_seconds: float = 8.0,
    ) -> None:
        """Args:
        api: the API server.
        namespace: of the Lease.
        name: of the Lease.
        identity: of this process and of no other, not even of the same pod's next one.
        lease_seconds: how long others wait for a holder that is silent.
        renew_every: seconds between renewals, and between the looks of those who wait.
        renew_seconds: how long the holder acts without a renewal; less than lease_seconds by
            what it takes to stop.
        """
        self._api = api
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._lease_seconds = lease_seconds
        self._renew_every = renew_every
        self._renew_seconds = renew_seconds
        self._clock = asyncio.get_running_loop().time
        self._acts_until = float("-inf")
        self._held: Manifest = {}
        """The Lease as we have written it."""
        self._seen: Manifest = {}
        """The Lease's spec as it was last, by whomever."""
        self._seen_at = 0.0
        """When it was first seen like that."""
        self._looked_at = float("-inf")
        """When the API server last said who holds it."""

    @property
    def leads(self) -> bool:
        """Whether this process may act now: false at once after it was stopped for too long."""
        return self._clock() < self._acts_until

    @property
    def stands_by(self) -> bool:
        """Whether this process would take over, should the holder stop."""
        return self._clock() < self._looked_at + self._lease_seconds

    async def lead(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait until this candidate leads, then work until the work ends.

        Where this is cancelled, the work is, and the Lease is given back when the work has ended.

        Raises:
            LeadershipLost: the work was cancelled, since others may take over soon.
        """
        await self._win()
        log.info("%s leads", self._identity)
        working, keeping = asyncio.create_task(work()), asyncio.create_task(self._keep())
        try:
            await asyncio.wait((working, keeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            working.cancel()
            if keeping.done():
                await asyncio.wait((working,), timeout=self._lease_seconds - self._renew_seconds)
            else:
                await asyncio.wait((working, keeping), return_when=asyncio.FIRST_COMPLETED)
            keeping.cancel()
            (ended,) = await asyncio.gather(keeping, return_exceptions=True)
            await self._give_back()
        if isinstance(ended, Exception):
            raise ended
        await working

    async def _win(self) -> None:
        failed = False
        while True:
            try:
                async with asyncio.timeout(_ATTEMPT_SECONDS):
                    if await self._take():
                        return
                failed = False
            except _FAULTS as error:
                conflict = isinstance(error, ApiError) and error.status == 409
                if not conflict and not failed:
                    log.warning("the lease %s cannot be taken: %r", self._name, error)
                    failed = True
            left = self._seen_at + self._promised(self._seen) - self._clock()
            await asyncio.sleep(min(self._renew_every, left) if left > 0 else self._renew_every)

    async def _keep(self) -> None:
        """Renew for as long as that works.

        Raises:
            LeadershipLost: it does not, or another holds the Lease.
        """
        error: Exception | None = None
        while (left := self._acts_until - self._clock()) > 0:
            await asyncio.sleep(min(self._renew_every if error is None else 0.5, left))
            left = self._acts_until - self._clock()
            try:
                async with asyncio.timeout(min(_ATTEMPT_SECONDS, left)):
                    if not await self._renew():
                        self._acts_until = float("-inf")
                        raise LeadershipLost(f"{self._seen.get('holderIdentity')} leads")
                error = None
            except _FAULTS as fault:
                if error is None:
                    log.warning("the lease %s cannot be renewed: %r", self._name, fault)
                error = fault
        raise LeadershipLost(f"not renewed for {self._renew_seconds} s: {error!r}") from error

    async def _take(self) -> bool:
        """Take the Lease if it is free or ours.

        Raises:
            ApiError: with status 409 where somebody else was faster.
        """
        began = self._clock()
        lease = await self._api.get("Lease", self._namespace, self._name)
        self._looked_at = began
        if lease is None:
            metadata = {"namespace": self._namespace, "name": self._name}
            kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata}
            ours = {**kind, "spec": self._spec({})}
            answer = await self._api.create(ours)
            self._held = {**ours, "metadata": answer["metadata"]}
        else:
            spec = lease.get("spec") or {}
            if not self._is_free(spec):
                return False
            self._held = await self._api.update({**lease, "spec": self._spec(spec)})
        self._acts_until = began + self._renew_seconds
        return True

    async def _renew(self) -> bool:
        """Renew the Lease; whether it is ours still.

        An earlier renewal whose answer was lost makes this one a conflict with ourselves.
        """
        began = self._clock()
        try:
            lease = {**self._held, "spec": self._spec(self._held["spec"])}
            self._held = await self._api.update(lease)
        except ApiError as error:
            if error.status not in (404, 409):
                raise
            return await self._take()
        self._acts_until = began + self._renew_seconds
        return True

    async def _give_back(self) -> None:
        """Let others take over at once. If that fails, they wait for the Lease to run out."""
        if not self.leads:
            return
        self._acts_until = float("-inf")
        with contextlib.suppress(*_FAULTS):
            async with asyncio.timeout(_ATTEMPT_SECONDS):
                lease = await self._api.get("Lease", self._namespace, self._name)
                if lease is None or lease["spec"].get("holderIdentity") != self._identity:
                    return
                free = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1}
                await self._api.update({**lease, "spec": free})
                log.info("%s leads no longer", self._identity)

    def _is_free(self, spec: Manifest) -> bool:
        """Whether a Lease is ours, nobody's, or of somebody who has been silent too long."""
        now = self._clock()
        if spec != self._seen:
            self._seen, self._seen_at = spec, now
        if spec.get("holderIdentity") in (None, "", self._identity):
            return True
        return now >= self._seen_at + self._promised(spec)

    def _spec(self, before: Manifest) -> Manifest:
        """The Lease as ours, from now on."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        ours = before.get("holderIdentity") == self._identity
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._lease_seconds,
            "acquireTime": before.get("acquireTime", now) if ours else now,
            "renewTime": now,
            "leaseTransitions": before.get("leaseTransitions", 0) + (0 if ours else 1),
        }

    def _promised(self, spec: Manifest) -> float:
        """Seconds of silence after which the holder of a Lease no longer acts."""
        return float(spec.get("leaseDurationSeconds") or self._lease_seconds)
