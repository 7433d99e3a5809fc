"""Every error the tool reports on purpose: its message, its exit status and a hint what to do next.

Nothing here does I/O. ``cli.main`` prints an error and turns it into an exit status; an error that ends an
update is part of the result of the command. ``cluster`` translates whatever the Kubernetes client raises into
the classes under :class:`ClusterError`; the original exception is chained as ``__cause__``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollupdate.advice import Advice

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_STOPPED = 3
"""The update stopped before it was complete and can be resumed."""
EXIT_INTERRUPTED = 130


class RollingUpdateError(Exception):
    """An error whose message is meant for the user: it names the object, what is wrong, what to do next.

    ``advice`` is a further line (without a full stop at its end), shown below the message: a text, or one
    with what to do as data.
    """

    exit_status = EXIT_ERROR

    def __init__(self, message: str, *, hint: str | Advice | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = hint

    @property
    def hint(self) -> str | None:
        """The advice as text, its commands without connection flags."""
        return None if self.advice is None else str(self.advice)


class InterruptedBySignal(BaseException):  # no error, and no ``except Exception`` may swallow it
    """The user, or whoever ended the session, asked the command to stop. ``name``: of the signal.

    No KeyboardInterrupt: typer would turn it into an exit of its own.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UsageError(RollingUpdateError):
    """The command line is wrong: shown as ``error: ...`` with the pointer to ``--help``."""


class ManifestError(RollingUpdateError):
    """What ``-f`` named cannot be used as a new controller."""


class RefusedError(RollingUpdateError):
    """The command line is understood but does not fit what is on the cluster; nothing was changed."""


class UnreadableError(RefusedError):
    """An annotation of ours was made into something else. In the middle of a run that stops it."""

    def __init__(self, what: str, *, hint: str | Advice) -> None:
        super().__init__(f"{what}; nothing was changed", hint=hint)
        self.what = what


class InProgressError(RefusedError):
    """An update to something else is in progress, which --supersede may take the place of."""


class NothingChangesError(RefusedError):
    """What is asked for is what runs already."""


class StoppedError(RollingUpdateError):
    """The update stopped half way; the same command continues and ``--rollback`` goes back."""

    exit_status = EXIT_STOPPED


class EditedError(StoppedError):
    """Another client has edited a pod template: the same command stops again, until a rollback."""


class FailureError(StoppedError):
    """The update stopped because it does not get anywhere: the new pods fail, or nothing moves any more.

    Only this is what ``--on-failure`` acts on.
    """


class NamespaceDeletedError(RollingUpdateError):
    """The namespace is deleted, and with it whatever could be resumed or rolled back."""

    def __init__(self, namespace: str, *, is_deleted: str) -> None:
        """``is_deleted``: what is known of that, in words."""
        super().__init__(
            f'namespace "{namespace}" {is_deleted}, and with it its controllers and their pods; there is '
            "nothing to resume or to roll back",
            hint="to run the service again, create the namespace, then the controller from its file",
        )


class ConfigError(RollingUpdateError):
    """The kubeconfig or the credentials it names cannot be used."""


class ClusterError(RollingUpdateError):
    """Talking to the API server failed."""


class UnreachableError(ClusterError):
    """No answer: refused, reset, timed out, not resolved, a TLS failure that may pass, a cut answer.

    For a write this means *unknown*: it may have taken effect. Look before trying again.
    """


class ApiError(ClusterError):
    """The API server answered with a ``Status`` that is not a success.

    Built from the answer's body (kind ``Status``, v1.Status of the Kubernetes API reference); where the
    body is something else (a proxy's HTML), ``reason`` is derived from the HTTP status alone. No dataclass:
    ``--help`` loads this module, and would load ``dataclasses`` for nothing else.
    """

    def __init__(
        self,
        status: int,
        reason: str,
        text: str,
        details: dict[str, Any] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"Error from server ({reason or status}): {text}")
        self.status = status
        """The HTTP status code."""
        self.reason = reason
        """CamelCase machine-readable reason, for example ``NotFound``; "" where the server gave none."""
        self.text = text
        """The server's own message."""
        self.details = {} if details is None else details
        self.retry_after = retry_after
        """Seconds the server asked to wait (``Retry-After`` header or ``details.retryAfterSeconds``)."""

    @property
    def is_not_found(self) -> bool:
        return self.status == 404

    @property
    def is_already_exists(self) -> bool:
        return self.status == 409 and self.reason == "AlreadyExists"

    @property
    def is_conflict(self) -> bool:
        """The object is no longer the one the write was decided on."""
        return self.status == 409 and self.reason != "AlreadyExists"

    @property
    def is_gone(self) -> bool:
        """The resourceVersion is too old to continue from (410)."""
        return self.status == 410

    @property
    def is_forbidden(self) -> bool:
        return self.status == 403

    @property
    def is_unauthorized(self) -> bool:
        return self.status == 401

    @property
    def is_invalid(self) -> bool:
        return self.status == 422

    @property
    def is_for_good(self) -> bool:
        """The same request will be refused again, whatever others do meanwhile. A JSON Patch of which a test
        fails is invalid, too, but without a cause."""
        if self.is_invalid:
            return bool(self.details.get("causes"))
        return 400 <= self.status < 500 and self.status not in (408, 409, 410, 429)

    @property
    def is_transient(self) -> bool:
        """The same request may succeed later: throttled, overloaded, restarting."""
        return self.status in (408, 429, 500, 502, 503, 504)
