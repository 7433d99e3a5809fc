"""Trouble on demand: answers that tests ask for, instead of or after the genuine one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.messages import Request, Response

Handler = Callable[[Request], Response]
Interceptor = Callable[[Request], Response | None]


class DroppedError(ConnectionError):
    """The connection ended without an answer."""


@dataclass
class Fault:
    """The next ``times`` requests that fit fail: with ``response``, or (None) with a dropped connection.

    ``after``: the request takes effect, only its answer is lost.
    """

    fits: Callable[[Request], bool]
    response: Response | None
    after: bool
    times: int


class Faults:
    """``interceptors`` are asked before every request: an answer of theirs is the answer."""

    def __init__(self) -> None:
        self.interceptors: list[Interceptor] = []
        self.warnings: list[tuple[str, Callable[[Request], bool]]] = []
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        self._faults.append(fault)

    def clear(self) -> None:
        self.interceptors.clear()
        self.warnings.clear()
        self._faults.clear()

    def around(self, request: Request, handler: Handler) -> Response:
        """Answer a request with ``handler``, or as a fault wants it. Raises :class:`DroppedError`."""
        for interceptor in tuple(self.interceptors):
            answer = interceptor(request)
            if answer is not None:
                return answer
        fault = next((fault for fault in self._faults if fault.fits(request)), None)
        if fault is None:
            return self._with_warnings(request, handler(request))
        fault.times -= 1
        if fault.times <= 0:
            self._faults.remove(fault)
        if fault.after:
            handler(request)
        if fault.response is None:
            raise DroppedError(f"{request.method} {request.path}: connection dropped")
        return fault.response

    def _with_warnings(self, request: Request, response: Response) -> Response:
        texts = [text for text, fits in self.warnings if fits(request)]
        if not texts:
            return response
        header = ", ".join('299 - "{}"'.format(text.replace('"', '\\"')) for text in texts)
        return replace(response, headers={**response.headers, "Warning": header})


_FAILURES: dict[int, Callable[[], statuses.ApiError]] = {
    401: statuses.unauthorized,
    410: lambda: statuses.expired("too old resource version"),
    415: statuses.unknown_patch_type,
    429: statuses.too_many_requests,
}
_REASONS = {
    400: "BadRequest",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    422: "Invalid",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def failure(code: int, message: str | None, retry_after: int | None) -> Response:
    """A response with a Status of that code, as genuine as one can make it without knowing the request."""
    if code in _FAILURES and message is None:
        error = _FAILURES[code]()
    else:
        reason = _REASONS.get(code, "TooManyRequests" if code == 429 else "")
        error = statuses.status(code, message or f"sandbox: {reason or code}", reason, {})
    headers = dict(error.headers)
    body: Json = error.body
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
        body = {**body, "details": {**(body.get("details") or {}), "retryAfterSeconds": retry_after}}
    return Response(code, body, headers)
