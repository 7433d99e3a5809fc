"""The ``log`` of a pod, the API server's part of it: which run there is, and its text, a kubelet says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from testing.kubelet.logs import NoLogError
from testing.objects import Json
from testing.sandbox import statuses
from testing.sandbox.objects import name_of
from testing.sandbox.resources import PODS

Read = Callable[[Json, str, bool, int | None, int | None], str]
"""The kubelet's part: pod, container, whether of the previous run, how many last lines, how many bytes."""


def answer(pod: Json, query: Mapping[str, str], read: Read, is_node: Callable[[str], bool]) -> str:
    """The text asked for. Raises 400, 404, 422."""
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
    try:
        return read(pod, container["name"], query.get("previous") in ("1", "true"), lines, size)
    except NoLogError as error:
        raise statuses.bad_request(str(error)) from error


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
