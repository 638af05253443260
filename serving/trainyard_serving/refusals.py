"""A request that is refused: the status, and what the client should do instead."""

from __future__ import annotations


class Refusal(Exception):
    """Ends a request with `status` and the JSON body {"error": message}.

    Args:
        status: 4xx.
        message: what is wrong with the request, and what would be right.
        headers: of the response.
    """

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
