"""What a command line asks of an update: the intent and the policy, as values of the core."""

from __future__ import annotations

from rollupdate.commands.given import Given
from rollupdate.core.changes.base import Naming
from rollupdate.core.changes.edits import Edit, SetEnv, SetImage
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Origin
from rollupdate.core.changes.template import TemplateChange
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.plan.intent import Intent
from rollupdate.core.plan.policy import Policy
from rollupdate.errors import UsageError
from rollupdate.objects import Json
from rollupdate.redaction import without_passwords


def read_intent(given: Given, namespace: str) -> Intent:
    """Raises ManifestError for a file that cannot be used."""
    change: TemplateChange | FileChange | None = None
    filenames, rollback = given.texts("filename"), given.on("rollback")
    if not filenames:
        change = _template_change(given)
    elif not (filenames[0] == "-" and rollback):  # nothing there is needed to go back
        from rollupdate.manifest import load_controller

        source = "STDIN" if filenames[0] == "-" else without_passwords(filenames[0])
        manifest = load_controller(filenames[0], namespace=namespace)
        _check_new_name(given, manifest, source)
        change = FileChange(manifest, source, validate=given.value("validate"))
    return Intent(
        name=given.controller,
        change=change,
        naming=Naming(
            new_name=given.names[1] if len(given.names) > 1 else None,
            keep_name=given.on("keep-name"),
            label_key=given.text("deployment-label-key"),
        ),
        rollback=rollback,
        to_revision=given.value("to-revision") if given.has("to-revision") else None,
        supersede=given.on("supersede"),
        origin=Origin(started_by=_user_and_host(), command=given.shortened()),
    )


def _check_new_name(given: Given, manifest: Json, source: str) -> None:
    """A file has the name of the new controller; scripts give it a second time."""
    name = (manifest.get("metadata") or {}).get("name")
    if len(given.names) > 1 and given.names[1] != name:
        raise UsageError(
            f"NEW_NAME is {given.names[1]}, but {source} {f'names {name}' if name else 'gives no name'}",
            hint=_which_name(given, name),
        )


def _which_name(given: Given, name: str | None) -> str:
    if given.type_and_name:
        return f"if this is TYPE and NAME, write {given.type_and_name}"
    if name:
        return "leave NEW_NAME out: the file has the name"
    return f"set metadata.name to {given.names[1]} in the file"


def _template_change(given: Given) -> TemplateChange | None:
    """Images, then environment, then patches, those of files first. A patch is not read to go back."""
    container, policy = given.optional("container"), given.optional("image-pull-policy")
    images: dict[str | None, SetImage] = {}  # as of any flag, the last one for a container counts
    for name, image in given.values("image"):
        if image:
            images.pop(name or container, None)
            images[name or container] = SetImage(image, name or container, policy)
    edits: list[Edit] = [
        *images.values(),
        *(SetEnv(name, value, container) for name, value in given.values("set-env")),
    ]
    restart = given.on("restart")
    if not (edits or restart or given.has("patch") or given.has("patch-file")):
        return None
    patched = bool(given.texts("patch") or given.texts("patch-file"))  # an empty one is refused below
    if patched and not given.on("rollback"):
        from rollupdate import patches

        edits += map(patches.from_file, given.texts("patch-file"))
        edits += map(patches.inline, given.texts("patch"))
    return TemplateChange(tuple(edits), restart, patched and given.value("validate"))


def read_policy(given: Given) -> Policy:
    surge, unavailable = given.value("max-surge"), given.value("max-unavailable")
    assert isinstance(surge, Amount)
    assert isinstance(unavailable, Amount)
    dry_run = given.on("dry-run")
    return Policy(
        budget=Budget(surge, unavailable),
        min_ready_seconds=given.value("min-ready-seconds") if given.has("min-ready-seconds") else None,
        evicts=given.on("evict"),
        dry_run=dry_run,
        update_period=given.value("update-period"),
        timeout=given.value("timeout"),
        failure_grace=given.value("failure-grace"),
        on_failure=given.text("on-failure"),
        pause_at=given.values("pause-at"),
        # A dry run has no pods to check, and nothing that is worth keeping.
        verifies=bool(given.text("verify")) and not dry_run,
        history_limit=0 if dry_run else given.value("revision-history-limit"),
    )


def _user_and_host() -> str | None:
    """For people to find whoever runs it; it proves nothing."""
    import getpass
    import socket

    try:
        told = f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError, ImportError):
        return None
    return told[:200] if told.isprintable() else None
