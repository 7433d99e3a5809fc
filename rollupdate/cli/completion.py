"""Completion of a command line as kubectl (1.26 and newer) asks for it.

kubectl runs ``kubectl_complete-rolling_update`` with the words so far, the last one being typed (perhaps
empty). The answer is a line ``value<TAB>description`` for each candidate and a last line ``:N`` of directive
bits (cobra's ShellCompDirective). Whatever goes wrong, the answer is just empty: a user who presses TAB has
asked for no error. Nothing is written, to the cluster or anywhere.

A flag's row says where its values come from. What a shell needs to ask at all is in ``shells``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import TIMEOUT_MAX, Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from rollupdate.cli import flag as rows
from rollupdate.cli import pflag
from rollupdate.cli.flag import Flag
from rollupdate.cli.flags import FLAGS
from rollupdate.cli.invocation import DEPLOYMENTS, TO_CONFIG, TO_CONTROLLER
from rollupdate.cli.pflag import Typed
from rollupdate.counts import counted
from rollupdate.errors import RollingUpdateError
from rollupdate.objects import CONFIGS

if TYPE_CHECKING:
    from rollupdate.cluster import ConnectionFlags

SECONDS = 1.6
"""How long anything may take, the start of the program not counted: whoever waits has pressed TAB. A
``--request-timeout`` among the words says otherwise, for a cluster that is far away."""
FILES, NO_FILES, ONLY_ENDINGS, KEEP_ORDER = 0, 4, 8, 32
PREVIOUS = "the revision before the current one"

Candidates = Iterable[tuple[str, str]]


class Answer(NamedTuple):
    """Candidates with their descriptions, and what the shell may make of them."""

    candidates: tuple[tuple[str, str], ...] = ()
    directive: int = NO_FILES

    def lines(self) -> str:
        rows = [
            f"{value}\t{_one_line(about)}" if about else value
            for value, about in self.candidates
            if value and value.isprintable()
        ]
        return "".join(f"{row}\n" for row in [*rows, f":{self.directive}"])


def run() -> None:
    """The entry point of ``kubectl_complete-rolling_update``: answers in time, never returns."""
    main(sys.argv[1:])


def main(words: Sequence[str]) -> None:
    """Print the answer and end the process, with whatever still waits for a cluster in it."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # what a library or a credential plugin says would land in the line being typed
    found: list[Answer] = []
    worker = Thread(target=lambda: found.append(answer(words, os.environ)), daemon=True)
    worker.start()
    worker.join(_patience(words))
    try:
        os.write(1, (found[0] if found else Answer()).lines().encode("utf-8", "replace"))
    except OSError:  # nobody reads it any more
        pass
    finally:
        os._exit(0)


def answer(words: Sequence[str], environ: Mapping[str, str]) -> Answer:
    """The candidates for the last of ``words``. Raises nothing."""
    try:
        return _answer(pflag.being_typed(words), environ)
    except (RollingUpdateError, ValueError, OSError):
        return Answer()


def _patience(words: Sequence[str]) -> float:
    """Seconds, for all of the answer."""
    try:
        return _limit(pflag.being_typed(words))
    except (RollingUpdateError, ValueError):  # such words get no answer, and soon
        return SECONDS


def _limit(typed: Typed) -> float:
    seconds: float = typed.invocation.value("request-timeout")
    return min(seconds or SECONDS, TIMEOUT_MAX)


def _answer(typed: Typed, environ: Mapping[str, str]) -> Answer:
    if typed.flag is not None:
        return _value(typed.flag, typed, environ)
    if typed.text.startswith("-") and not typed.flags_ended:
        return _matching(_flags(typed), typed)
    if not typed.invocation.names:
        return _matching(_controllers(typed, environ), typed)
    return Answer()  # NEW_NAME does not exist yet


def _flags(typed: Typed) -> Candidates:
    for flag in FLAGS:
        if flag.name in typed.invocation.given and not flag.many:
            continue
        if flag.short and not typed.text.startswith("--"):
            yield f"-{flag.short}", flag.help
        if flag.name != flag.short:
            yield f"--{flag.name}", flag.help


def _value(flag: Flag, typed: Typed, environ: Mapping[str, str]) -> Answer:
    kind = flag.kind
    if flag.group == rows.NO_EFFECT:
        return Answer()
    if kind.choices:
        return _matching(((choice, "") for choice in kind.choices), typed, NO_FILES | KEEP_ORDER)
    if kind.suffixes:
        return Answer(tuple((suffix, "") for suffix in kind.suffixes), ONLY_ENDINGS)
    if kind.file:
        return Answer(directive=FILES)
    if not flag.values:
        return Answer()
    ordered = flag.values in (rows.REVISIONS, rows.REVISIONS_OR_PREVIOUS)
    found = _SOURCES[flag.values](typed, environ)
    return _matching(found, typed, NO_FILES | KEEP_ORDER if ordered else NO_FILES)


def _matching(candidates: Candidates, typed: Typed, directive: int = NO_FILES) -> Answer:
    found = ((value, about) for value, about in candidates if value.startswith(typed.text))
    return Answer(tuple(found), directive)


# --- what the kubeconfig and the cluster know ---


def _connection(typed: Typed) -> ConnectionFlags:
    from dataclasses import replace

    from rollupdate.commands.connection import connection_flags

    # Nobody may be asked for a password while a line is being typed: standard input is taken.
    return replace(connection_flags(typed.invocation), request_timeout=_limit(typed), stdin_taken=True)


def _kubeconfig(typed: Typed, environ: Mapping[str, str]) -> Any:
    from rollupdate.cluster import kubeconfig

    return kubeconfig.merge(kubeconfig.config_files(_connection(typed), environ))


def _contexts(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    for name, context in sorted(_kubeconfig(typed, environ).contexts.items()):
        yield name, f"cluster {context.cluster}" if context.cluster else ""


def _clusters(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    for name, cluster in sorted(_kubeconfig(typed, environ).clusters.items()):
        yield name, cluster.server


def _users(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    for name in sorted(_kubeconfig(typed, environ).users):
        yield name, ""


def _cluster(typed: Typed, environ: Mapping[str, str]) -> Any:
    from rollupdate import cluster

    return cluster.connect(_connection(typed), environ=environ, longest_plugin=_limit(typed))


def _namespaces(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    for name in _cluster(typed, environ).list_namespaces():
        yield name, ""


def _controllers(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    kind, slash, _ = typed.text.rpartition("/")
    cluster = _cluster(typed, environ)
    to = typed.invocation.text("to")
    if kind.lower() in DEPLOYMENTS or (not slash and to in (*TO_CONTROLLER, *TO_CONFIG)):
        from rollupdate.objects import DEPLOYMENT

        kind, slash = kind or DEPLOYMENT.word, "/"
        found = cluster.list_all(DEPLOYMENT)
    elif kind.lower() in CONFIGS:
        from rollupdate.objects import CONFIG

        found = cluster.list_all(CONFIG)
    else:
        found = cluster.list_controllers()
    for controller in found:
        replicas = (controller.get("spec") or {}).get("replicas", 1)
        images = ", ".join(str(container.get("image", "")) for container in _containers_of(controller))
        size = counted(replicas, "replica")
        yield f"{kind}{slash}{controller['metadata']['name']}", f"{size}, {images}" if images else size


def _named_controller(typed: Typed, cluster: Any) -> dict[str, Any] | None:
    """The controller whose name is on the line."""
    names = typed.invocation.names
    found: dict[str, Any] | None = cluster.get_controller(names[0].rpartition("/")[2])
    return found


def _revisions(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    """Of the controller that is named on the line, the latest first."""
    from rollupdate.core.model.history import revisions, selector

    if not typed.invocation.names:
        return
    cluster = _cluster(typed, environ)
    found = _named_controller(typed, cluster)
    if found is None:
        return
    for revision in reversed(revisions(cluster.list_revisions(selector([found["metadata"]["uid"]])))):
        images = ", ".join(revision.images)
        yield str(revision.number), f"{images}: {revision.cause}" if revision.cause else images


def _revisions_or_previous(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    found = list(_revisions(typed, environ))
    return [("0", PREVIOUS), *found] if found else []


def _containers(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    """Of the controller that is named on the line, with their images."""
    if not typed.invocation.names:
        return
    for container in _containers_of(_named_controller(typed, _cluster(typed, environ)) or {}):
        yield str(container.get("name", "")), str(container.get("image", ""))


def _containers_of(controller: dict[str, Any]) -> list[dict[str, Any]]:
    spec = ((controller.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [container for container in spec.get("containers") or () if isinstance(container, dict)]


def _images(typed: Typed, environ: Mapping[str, str]) -> Candidates:
    """Two for each container, so that shells fill in what they have in common and wait for the tag."""
    offered: dict[str, str] = {}
    named, names = "=" in typed.text, list[str]()
    for container, image in _containers(typed, environ):
        names.append(container)
        start = f"{container}=" if named else ""
        offered |= {
            f"{start}{_repository(image)}:": f"another tag for {container}",
            f"{start}{image}": f"{container} now",
        }
    several = {} if named or len(names) < 2 else {f"{name}=": f"the image of {name}" for name in names}
    return {**offered, **several}.items()


_SOURCES: dict[str, Callable[[Typed, Mapping[str, str]], Candidates]] = {
    rows.NAMESPACES: _namespaces,
    rows.CONTEXTS: _contexts,
    rows.CLUSTERS: _clusters,
    rows.USERS: _users,
    rows.CONTAINERS: _containers,
    rows.IMAGES: _images,
    rows.REVISIONS: _revisions,
    rows.REVISIONS_OR_PREVIOUS: _revisions_or_previous,
}


def _repository(image: str) -> str:
    """``registry:5000/nginx:1.9@sha256:...`` without the tag and the digest."""
    return re.sub(r":[^/:]*\Z", "", image.partition("@")[0])


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
