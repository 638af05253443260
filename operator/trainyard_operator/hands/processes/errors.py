"""Errors of a local run."""

from __future__ import annotations


class WrongInput(ValueError):
    """What the user gave cannot be run; the message says what to change."""
