"""Completion of a command line as kubectl (1.26 and newer) asks for it, and what a shell needs for that.

kubectl runs ``kubectl_complete-rolling_update`` with the words so far, the last one being typed (perhaps
empty). The answer is a line ``value<TAB>description`` for each candidate and a last line ``:N`` of directive
bits (cobra's ShellCompDirective). Whatever goes wrong, the answer is just empty: a user who presses TAB has
asked for no error. Nothing is written, to the cluster or anywhere.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import TYPE_CHECKING, Any

from rollupdate import flags
from rollupdate.errors import RollingUpdateError
from rollupdate.flags import Flag

if TYPE_CHECKING:
    from rollupdate.cluster import ConnectionFlags

SECONDS = 1.6
"""How long anything may take, the start of the program not counted: whoever waits has pressed TAB."""
NO_FILES, ONLY_ENDINGS, KEEP_ORDER = 4, 8, 32
MANIFESTS = ("json", "yaml", "yml")
_FILES = ("timeline", "kubeconfig", "client-certificate", "client-key", "certificate-authority")
_OF_KUBECONFIG = {"context": "contexts", "cluster": "clusters", "user": "users"}


@dataclass(frozen=True)
class Answer:
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
    """The entry point of ``kubectl_complete-rolling_update``: answers within two seconds, never returns."""
    main(sys.argv[1:])


def main(words: Sequence[str]) -> None:
    """Print the answer and end the process, with whatever still waits for a cluster in it."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)  # what a library or a credential plugin says would land in the line being typed
    found: list[Answer] = []
    worker = Thread(target=lambda: found.append(answer(words, os.environ)), daemon=True)
    worker.start()
    worker.join(SECONDS)
    try:
        os.write(1, (found[0] if found else Answer()).lines().encode("utf-8", "replace"))
    except OSError:  # nobody reads it any more
        pass
    finally:
        os._exit(0)


def answer(words: Sequence[str], environ: Mapping[str, str]) -> Answer:
    """The candidates for the last of ``words``. Raises nothing."""
    try:
        return _answer(_Line.read(words), environ)
    except (RollingUpdateError, ValueError, OSError):
        return Answer()


@dataclass(frozen=True)
class _Line:
    """A command line being typed, read without objecting to anything."""

    names: tuple[str, ...]
    given: dict[str, tuple[str, ...]]
    typed: str
    """What there is of the last word, or of the value in it."""
    flag: Flag | None
    """The flag whose value is being typed."""
    flags_end: bool
    """After ``--``."""

    @classmethod
    def read(cls, words: Sequence[str]) -> _Line:
        names: list[str] = []
        given: dict[str, tuple[str, ...]] = {}
        typed = words[-1] if words else ""
        waiting: Flag | None = None
        for at, word in enumerate(words[:-1]):
            if waiting is not None:
                given[waiting.name] = (*given.get(waiting.name, ()), word)
                waiting = None
            elif word == "--":
                return cls((*names, *words[at + 1 : -1]), given, typed, None, True)
            elif word.startswith("-") and word != "-":
                flag, value = _split(word)
                if flag is not None and value is None and flag.bare is None:
                    waiting = flag
                elif flag is not None:
                    value = flag.bare or "" if value is None else value
                    given[flag.name] = (*given.get(flag.name, ()), value)
            else:
                names.append(word)
        if waiting is None and typed.startswith("-") and "=" in typed:
            waiting, value = _split(typed)
            if waiting is None:
                raise ValueError(f"unknown flag: {typed}")
            typed = value or ""
        return cls(tuple(names), given, typed, waiting, False)

    def text(self, name: str) -> str:
        return self.given.get(name, ("",))[-1]


_LONG = {flag.name: flag for flag in flags.FLAGS}
_SHORT = {flag.short: flag for flag in flags.FLAGS if flag.short}


def _split(word: str) -> tuple[Flag | None, str | None]:
    """``--name=value``, ``--name``, ``-n=value``, ``-nvalue`` or ``-n``: the flag and its value, if given."""
    if word.startswith("--"):
        name, equals, value = word[2:].partition("=")
        return _LONG.get(name.replace("_", "-")), value if equals else None
    return _SHORT.get(word[1]), word[2:].removeprefix("=") if len(word) > 2 else None


def _answer(line: _Line, environ: Mapping[str, str]) -> Answer:
    if line.flag is not None:
        return _value(line.flag, line, environ)
    if line.typed.startswith("-") and not line.flags_end:
        return _matching(_flags(line), line.typed)
    if not line.names:
        return _matching(_controllers(line, environ), line.typed)
    return Answer()  # NEW_NAME is a name that there is not yet


def _flags(line: _Line) -> Iterable[tuple[str, str]]:
    for flag in flags.FLAGS:
        if flag.name in line.given and not flag.many:
            continue
        if flag.short and not line.typed.startswith("--"):
            yield f"-{flag.short}", flag.help
        if flag.name != flag.short:
            yield f"--{flag.name}", flag.help


def _value(flag: Flag, line: _Line, environ: Mapping[str, str]) -> Answer:
    if flag.choices:
        return replace(
            _matching(((each, "") for each in flag.choices), line.typed), directive=NO_FILES | KEEP_ORDER
        )
    if flag.name in ("filename", "patch-file"):
        return Answer(tuple((each, "") for each in MANIFESTS), ONLY_ENDINGS)
    if flag.name in _FILES:
        return Answer(directive=0)
    if flag.name == "namespace":
        return _matching(((each, "") for each in _cluster(line, environ).list_namespaces()), line.typed)
    if flag.name in _OF_KUBECONFIG:
        return _matching(_of_kubeconfig(flag, line, environ), line.typed)
    if flag.name == "container":
        return _matching(
            ((each.get("name", ""), each.get("image", "")) for each in _containers(line, environ)), line.typed
        )
    if flag.name in ("to-revision", "revision"):
        return replace(_matching(_revisions(line, environ), line.typed), directive=NO_FILES | KEEP_ORDER)
    if flag.name == "image":
        # Two for each, so that shells fill in what they have in common and wait for the tag.
        offered: dict[str, str] = {}
        named, names = "=" in line.typed, list[str]()
        for each in _containers(line, environ):
            image, container = str(each.get("image", "")), str(each.get("name", ""))
            names.append(container)
            start = f"{container}=" if named else ""
            offered |= {
                f"{start}{_repository(image)}:": f"another tag for {container}",
                f"{start}{image}": f"{container} now",
            }
        several = {} if named or len(names) < 2 else {f"{each}=": f"the image of {each}" for each in names}
        return _matching({**offered, **several}.items(), line.typed)
    return Answer()


def _matching(candidates: Iterable[tuple[str, str]], typed: str) -> Answer:
    return Answer(tuple(each for each in candidates if each[0].startswith(typed)))


# --- what the kubeconfig and the cluster know ---


def _connection(line: _Line) -> ConnectionFlags:
    from rollupdate.flags import Arguments
    from rollupdate.options import Options, connection_flags

    options = Options(Arguments((), {name: tuple(values) for name, values in line.given.items()}))
    # Nobody may be asked for a password while a line is being typed: standard input is taken.
    return replace(connection_flags(options), request_timeout=SECONDS, stdin_taken=True)


def _of_kubeconfig(flag: Flag, line: _Line, environ: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    from rollupdate.cluster import kubeconfig

    merged = kubeconfig.merge(kubeconfig.config_files(_connection(line), environ))
    for name, entry in sorted(getattr(merged, _OF_KUBECONFIG[flag.name]).items()):
        if flag.name == "context":
            yield name, f"cluster {entry.cluster}" if entry.cluster else ""
        else:
            yield name, entry.server if flag.name == "cluster" else ""


def _cluster(line: _Line, environ: Mapping[str, str]) -> Any:
    from rollupdate import cluster

    return cluster.connect(_connection(line), environ=environ, longest_plugin=SECONDS)


def _controllers(line: _Line, environ: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    kind, slash, _ = line.typed.rpartition("/")
    for each in _cluster(line, environ).list_controllers():
        replicas = (each.get("spec") or {}).get("replicas", 1)
        images = ", ".join(str(one.get("image", "")) for one in _containers_of(each))
        size = f"{replicas} replica" if replicas == 1 else f"{replicas} replicas"
        yield f"{kind}{slash}{each['metadata']['name']}", f"{size}, {images}" if images else size


def _revisions(line: _Line, environ: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Of the controller that is named on the line, the latest first."""
    from rollupdate.core.model.history import revisions, selector

    if not line.names:
        return
    cluster = _cluster(line, environ)
    found = cluster.get_controller(line.names[0].rpartition("/")[2])
    if found is None:
        return
    for each in reversed(revisions(cluster.list_revisions(selector([found["metadata"]["uid"]])))):
        images = ", ".join(each.images)
        yield str(each.number), f"{images}: {each.cause}" if each.cause else images


def _containers(line: _Line, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those of the controller that is named on the line."""
    if not line.names:
        return []
    found = _cluster(line, environ).get_controller(line.names[0].rpartition("/")[2])
    return _containers_of(found) if found else []


def _containers_of(controller: dict[str, Any]) -> list[dict[str, Any]]:
    spec = ((controller.get("spec") or {}).get("template") or {}).get("spec") or {}
    return [each for each in spec.get("containers") or () if isinstance(each, dict)]


def _repository(image: str) -> str:
    """``registry:5000/nginx:1.9@sha256:...`` without the tag and the digest."""
    return re.sub(r":[^/:]*\Z", "", image.partition("@")[0])


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


# --- kubectl rolling-update completion SHELL ---


def script(shell: str) -> str:
    """What a shell's startup file needs: kubectl's own completion, and a helper of ours that it finds.

    kubectl looks for a program on PATH, so a function of the shell will not do. Where there is none (krew
    links one name only), a small one is kept among the user's data and its folder put behind PATH.
    """
    return _FISH if shell == "fish" else _POSIX.replace("SHELL", shell).replace("LOADED", _LOADED[shell])


_LOADED = {"bash": "declare -F __start_kubectl >/dev/null", "zsh": "(( $+functions[_kubectl] ))"}
_POSIX = """\
# Completion for kubectl rolling-update. In your startup file, after kubectl's own completion:
#   source <(kubectl rolling-update completion SHELL)
if ! command -v kubectl_complete-rolling_update >/dev/null; then
    __rolling_update="${XDG_DATA_HOME:-$HOME/.local/share}/kubectl-rolling_update"
    if [ ! -x "$__rolling_update/kubectl_complete-rolling_update" ]; then
        mkdir -p "$__rolling_update"
        printf '%s\\n' '#!/bin/sh' 'exec kubectl-rolling_update __complete "$@"' \\
            >"$__rolling_update/kubectl_complete-rolling_update"
        chmod +x "$__rolling_update/kubectl_complete-rolling_update"
    fi
    export PATH="$PATH:$__rolling_update"
    unset __rolling_update
fi
LOADED || source <(kubectl completion SHELL)
"""
_FISH = """\
# Completion for kubectl rolling-update. In ~/.config/fish/config.fish:
#   kubectl rolling-update completion fish | source
if not command -q kubectl_complete-rolling_update
    set -l data $HOME/.local/share
    set -q XDG_DATA_HOME; and set data $XDG_DATA_HOME
    set -l folder $data/kubectl-rolling_update
    if not test -x $folder/kubectl_complete-rolling_update
        mkdir -p $folder
        printf '%s\\n' '#!/bin/sh' 'exec kubectl-rolling_update __complete "$@"' \\
            >$folder/kubectl_complete-rolling_update
        chmod +x $folder/kubectl_complete-rolling_update
    end
    set -gx PATH $PATH $folder
end
functions -q __kubectl_perform_completion; or kubectl completion fish | source
"""
