"""The one exception that says why there is no real control plane here. Nothing else lives in this module."""

from __future__ import annotations


class Unavailable(Exception):  # noqa: N818 - reads as what it is: not an error of the code under test
    """No real control plane can be had on this machine; ``reason`` is one sentence for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
