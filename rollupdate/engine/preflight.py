"""What the server thinks of the update, asked (``dryRun``) before anything is written.

A template that it refuses, a field that it does not know, a quota on controllers: all of it is found
while the old pods are still untouched, labels included. A rule may look at the size, or at one of the
controllers only: so it is asked of the new one as it is created and with its size, and of the old one as it
is to be in the end if it keeps its name. The questions are asked at the same time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rollupdate.advice import Setting
from rollupdate.ahead import Ahead
from rollupdate.core.changes.base import without_restart
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Ending, Target
from rollupdate.core.changes.template import nothing_changes
from rollupdate.core.model.belonging import NONE
from rollupdate.core.model.controller import Controller, checked_template, label_selector
from rollupdate.core.model.record import Transfer
from rollupdate.core.model.selecting import selects
from rollupdate.core.model.template import template_hash
from rollupdate.core.phases import writes
from rollupdate.core.plan.goal import Goal
from rollupdate.engine.backoff import Retry, passing, taken
from rollupdate.engine.ports import Cluster, JsonPatch
from rollupdate.errors import ApiError, ClusterError, ManifestError
from rollupdate.objects import Json

Question = Callable[[], Json]


@dataclass(frozen=True)
class Verdict:
    """The new controller as the server would store it, where one is to be created."""

    created: Json | None = None
    same: bool = False
    """A file asks for just what is running already: nothing is to be done."""


def preflight(cluster: Cluster, goal: Goal, original: Controller, retry: Retry) -> Verdict:
    """``retry``: repeats one question while the server asks for patience.

    Raises what the server answers (also if a controller of that name exists), ManifestError naming
    the fields it does not know, RefusedError where a change of the template changes nothing."""
    manifest = goal.manifest
    if manifest is None:
        return Verdict()
    change = goal.change
    if goal.undo is not None and goal.undo.revision == goal.undo.running:
        return Verdict(same=True)
    manifest = _as_it_stays(manifest, goal, original)
    further = _further_questions(cluster, goal, original)
    answer = retry(partial(cluster.create_controller, manifest, dry_run=True))
    for question, ahead in further:
        try:
            taken(ahead, question, retry)
        except ApiError as error:
            if not error.is_conflict:
                raise
            # Another client is writing to the old controller; the update looks at that before each write.
    template = _template(answer)
    if change is not None and change.validate:
        unknown = unknown_fields(manifest, answer)
        if unknown:
            listed = ", ".join(f'"{field}"' for field in unknown[:5])
            raise ManifestError(
                f"error validating {change.source}: unknown field {listed}; nothing was changed",
                hint=f"correct it, or turn validation off with {Setting.VALIDATE}=false",
            )
    if not isinstance(change, FileChange):
        key = goal.label_key
        if template_hash(original.template, key) == template_hash(template, key):
            raise nothing_changes()
        return Verdict(answer)
    return Verdict(answer, goal.finish is Ending.KEEP_NAME and _same(change, goal, original, template))


def _further_questions(
    cluster: Cluster, goal: Goal, original: Controller
) -> list[tuple[Question, Ahead[Json]]]:
    """Beside that of the creation, each asked already."""
    manifest, target = goal.manifest, goal.target
    assert manifest is not None, "there is a controller to be created"
    assert target is not None, "it is made of it"
    questions: list[Question] = []
    if target.replicas:
        whole = {**manifest, "spec": {**manifest["spec"], "replicas": target.replicas}}
        questions.append(partial(cluster.create_controller, whole, dry_run=True))
    patch = _finish(manifest, target, goal, original) if goal.finish is Ending.KEEP_NAME else None
    if patch is not None:
        questions.append(partial(cluster.patch_controller, original.name, patch, dry_run=True))
    if selects({"matchLabels": original.selector}, target.pod_labels):
        questions.append(partial(_label_one, cluster, original, goal.label_key))
    return [(question, Ahead(question)) for question in questions]


def _label_one(cluster: Cluster, original: Controller, key: str) -> Json:
    """Whether the pods of the old controller may be labelled: asked of one."""
    for pod in cluster.list_pods(label_selector(original.selector), limit=1, identity_only=True):
        try:
            cluster.patch_pod(pod["metadata"]["name"], {"metadata": {"labels": {key: "0"}}}, dry_run=True)
        except ApiError as error:
            if not (passing(error) or error.is_not_found):  # those may be over by then
                raise
    return {}


def _finish(manifest: Json, target: Target, goal: Goal, original: Controller) -> JsonPatch | None:
    """From the old controller to what it is to be in the end, whatever else of it was changed meanwhile.
    None if the new one has a shape that the server is about to refuse."""
    named = {**manifest["metadata"], "uid": "", "resourceVersion": ""}
    try:
        successor = Controller.parse({**manifest, "metadata": named})
    except ClusterError:
        return None
    size = target.replicas
    transfer = Transfer(dict(target.selector), target.pod_labels, size, size, None)
    desired = writes.adopting(original, successor, transfer, size, carry_metadata=goal.carry_metadata)
    patch: JsonPatch = [
        {"op": "test", "path": "/metadata/uid", "value": original.uid},
        {"op": "add", "path": "/spec", "value": desired["spec"]},
    ]
    for field in ("labels", "annotations"):
        value = desired["metadata"].get(field)
        if value != original.raw["metadata"].get(field):
            patch.append({"op": "add", "path": f"/metadata/{field}", "value": value or {}})
    return patch


def _as_it_stays(manifest: Json, goal: Goal, original: Controller) -> Json:
    """With the owners and finalizers of the controller that stays: the server is to judge them, too."""
    belongings = NONE if goal.target is None else goal.target.belongings
    if belongings or goal.finish is Ending.DELETE_OLD:
        belongings = belongings.and_also(original.belongings)
    metadata = dict(manifest["metadata"])
    belongings.written(metadata)
    return {**manifest, "metadata": metadata}


def _template(answer: Json) -> Json:
    spec = answer.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    if not isinstance(template, dict):
        raise ClusterError("the API server's answer to a dry run has no pod template and cannot be used")
    return checked_template(template, "the answer to a dry run")


def _same(change: FileChange, goal: Goal, original: Controller, template: Json) -> bool:
    """Compared as the server completes it, so that what a file leaves out is no difference. Nor is the mark
    of a restart, which says nothing of what runs."""
    key = goal.label_key
    replicas = change.manifest["spec"].get("replicas")
    return (
        template_hash(without_restart(original.template), key)
        == template_hash(without_restart(template), key)
        and replicas in (None, original.replicas)
        and original.record.empty
    )


def unknown_fields(sent: object, received: object, path: str = "") -> list[str]:
    """Paths of fields that were sent and not kept. Empty values may be dropped without any loss.

    Works with every version of the API server: those before 1.25 have no ``fieldValidation``.
    """
    if isinstance(sent, dict) and isinstance(received, dict):
        found: list[str] = []
        for key, value in sent.items():
            here = f"{path}.{key}" if path else str(key)
            if key in received:
                found += unknown_fields(value, received[key], here)
            elif value not in (None, "", 0, False, {}, []):
                found.append(here)
        return found
    if isinstance(sent, list) and isinstance(received, list) and len(sent) == len(received):
        return [
            field
            for index, pair in enumerate(zip(sent, received, strict=True))
            for field in unknown_fields(*pair, f"{path}[{index}]")
        ]
    return []
