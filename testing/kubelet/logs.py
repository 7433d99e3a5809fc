"""The log of a container: which run of it there is, in a kubelet's words, and what of it is asked for."""

from __future__ import annotations

from testing.kubelet.behaviour import KubeletConfig
from testing.objects import Json

_PULLS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class NoLogError(Exception):
    """There is no such run; the text is the kubelet's."""


def read(
    pod: Json,
    container: str,
    config: KubeletConfig,
    *,
    previous: bool = False,
    lines: int | None = None,
    size: int | None = None,
) -> str:
    """Its last ``lines``, and of those ``size`` bytes at most. Raises :class:`NoLogError`."""
    text = config.printed(_run_of(pod, container, previous))
    if lines is not None:
        text = "".join(text.splitlines(keepends=True)[-lines:] if lines else [])
    return text if size is None else text.encode()[:size].decode(errors="ignore")


def _run_of(pod: Json, name: str, previous: bool) -> str:
    """The image of the run that is meant. It prints the same in each of its runs."""
    told = pod["status"].get("containerStatuses") or ()
    status = next((each for each in told if each["name"] == name), None)
    where = f'container "{name}" in pod "{pod["metadata"]["name"]}"'
    if status is None:
        raise NoLogError(f"{where} is not available")
    state, ended = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous and not ended:
        raise NoLogError(f"previous terminated {where} not found")
    if not ended and "running" not in state and "terminated" not in state:
        reason = (state.get("waiting") or {}).get("reason", "")
        raise NoLogError(f"{where} is waiting to start: {_PULLS.get(reason, reason)}")
    return str(status["image"])
