"""The ``log`` of a pod: which run of which container it is of, and what of it is asked for.

What a container has printed is the kubelet's to know (``read``); it prints the same in each of its runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from testing.sandbox import statuses
from testing.sandbox.objects import Json, name_of
from testing.sandbox.resources import PODS

_PULLS = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def answer(
    pod: Json, query: Mapping[str, str], read: Callable[[str], str], is_node: Callable[[str], bool]
) -> str:
    """The text asked for; ``read`` gives what a container of an image has printed. Raises 400, 404, 422."""
    container = _container(pod, query.get("container", ""))
    lines, size = _number(query, "tailLines"), _number(query, "limitBytes")
    causes = [
        statuses.invalid_value(field, value, detail)
        for field, value, least, detail in (
            ("tailLines", lines, 0, "must be greater than or equal to 0"),
            ("limitBytes", size, 1, "must be greater than 0"),
        )
        if value is not None and value < least
    ]
    if causes:
        raise statuses.invalid("PodLogOptions", name_of(pod), causes)
    node = pod["spec"].get("nodeName")
    if not node:
        return ""
    if not is_node(node):
        raise statuses.not_found(PODS, node)  # it says so
    _check_run(pod, container["name"], previous=query.get("previous") in ("1", "true"))
    text = read(container["image"])
    if lines is not None:
        text = "".join(text.splitlines(keepends=True)[-lines:] if lines else [])
    return text if size is None else text.encode()[:size].decode(errors="ignore")


def _container(pod: Json, name: str) -> Json:
    spec = pod["spec"]
    containers: list[Json] = [*(spec.get("initContainers") or ()), *spec["containers"]]
    if not name and len(spec["containers"]) == 1 and len(containers) == 1:
        return containers[0]
    if not name:
        names = " ".join(each["name"] for each in spec["containers"])
        raise statuses.bad_request(
            f"a container name must be specified for pod {name_of(pod)}, choose one of: [{names}]"
        )
    for each in containers:
        if each["name"] == name:
            return each
    raise statuses.bad_request(f"container {name} is not valid for pod {name_of(pod)}")


def _number(query: Mapping[str, str], name: str) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    try:
        return int(text)
    except ValueError as error:
        raise statuses.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from error


def _check_run(pod: Json, name: str, *, previous: bool) -> None:
    """Whether there is such a run, in the words of the kubelet."""
    told = pod["status"].get("containerStatuses") or ()
    status = next((each for each in told if each["name"] == name), None)
    where = f'container "{name}" in pod "{name_of(pod)}"'
    if status is None:
        raise statuses.bad_request(f"{where} is not available")
    state, ended = status.get("state") or {}, (status.get("lastState") or {}).get("terminated")
    if previous and not ended:
        raise statuses.bad_request(f"previous terminated {where} not found")
    if ended or "running" in state or "terminated" in state:
        return
    reason = (state.get("waiting") or {}).get("reason", "")
    raise statuses.bad_request(f"{where} is waiting to start: {_PULLS.get(reason, reason)}")
