"""SIGTERM: what a pod hears before it is killed.

TensorFlow installs a handler of its own that swallows the signal, and Python runs handlers in
the main thread alone, which may be waiting inside TensorFlow. So the signal is blocked in all
threads (`block` must run before any are started) and taken by one that does nothing else.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Final

from trainyard_api.exit_codes import ExitCode

_log = logging.getLogger(__name__)
_SIGNALS: Final = frozenset({signal.SIGTERM})


class StopRequest:
    """Whether this pod was asked to stop.

    Until `defer` is called there is nothing to save, and the process ends at once with
    ExitCode.SAVED.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._deferred = False

    def listen(self) -> None:
        """Block the signal in this thread and all that it starts, and wait for it in another."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        threading.Thread(target=self._wait, name="sigterm", daemon=True).start()

    @property
    def asked(self) -> bool:
        """Whether the signal came."""
        with self._lock:
            return self._asked

    def defer(self) -> None:
        """From now on the caller looks at `asked`, saves, and ends the process itself."""
        with self._lock:
            self._deferred = True

    def resume(self) -> None:
        """What matters is saved: from now on (and if it was asked already) end at once."""
        with self._lock:
            self._deferred = False
            if self._asked:
                _leave()

    def _wait(self) -> None:
        while True:
            signal.sigwait(_SIGNALS)
            _log.info("SIGTERM received")
            with self._lock:
                self._asked = True
                if not self._deferred:
                    _leave()


def _leave() -> None:
    logging.shutdown()
    os._exit(ExitCode.SAVED)
