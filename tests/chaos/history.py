"""What happened, to be read when something is found to be wrong."""

from __future__ import annotations

import time
from collections import defaultdict

_EVERYBODY = ""


class History:
    """Lines about jobs, and about what was done to all of them."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._lines: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self.violations: list[str] = []

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def note(self, job: str, text: str) -> None:
        """Something happened to a job."""
        self._lines[job].append((self.now(), text))

    def note_all(self, text: str) -> None:
        """Something happened that concerns every job."""
        self.note(_EVERYBODY, text)

    def violation(self, job: str, text: str) -> None:
        """Something is not as it has to be."""
        self.note(job, f"VIOLATION: {text}")
        self.violations.append(f"{self.now():8.3f}  {job or 'the operator'}: {text}")

    def of(self, job: str) -> str:
        """All that happened to a job, and around it."""
        lines = sorted([*self._lines[job], *(self._lines[_EVERYBODY] if job else [])])
        return "\n".join(f"{at:8.3f}  {text}" for at, text in lines)

    def report(self) -> str:
        """The violations, and the histories of the jobs that they befell."""
        jobs = [
            job for job, lines in self._lines.items() if any("VIOLATION" in t for _, t in lines)
        ]
        parts = ["\n".join(self.violations)]
        parts += [f"== {job or 'the operator'}\n{self.of(job)}" for job in jobs]
        return "\n\n".join(parts)
