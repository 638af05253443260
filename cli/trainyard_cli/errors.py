"""Errors that a user of the command line sees."""

from __future__ import annotations

from typing import Final

FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
"""What shells give for a program that Ctrl-C has ended."""


class CliError(Exception):
    """Ends the command with one message that says what the user can do."""

    def __init__(self, message: str, exit_code: int = FAILED) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class WrongInput(CliError):
    """What the user gave is wrong."""

    def __init__(self, message: str) -> None:
        super().__init__(message, WRONG_INPUT)
