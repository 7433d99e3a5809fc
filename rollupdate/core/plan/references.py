"""What selects the pods of a controller, or names it, and would lose them by an update. Pure.

Services, PodDisruptionBudgets and NetworkPolicies select pods by labels; a HorizontalPodAutoscaler names its
target. The new pods have another identifying label, perhaps others as well, and with a new name the old
controller is deleted in the end. The objects are read in ``engine.references``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rollupdate.advice import Action, Advice, Again, Edit, Named, PatchObject, Setting
from rollupdate.core.changes.file import FileChange
from rollupdate.core.changes.target import Ending, Target
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.selecting import selects, unmet
from rollupdate.core.model.template import is_hash
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import RefusedError
from rollupdate.objects import Json

SERVICE, BUDGET, POLICY = "Service", "PodDisruptionBudget", "NetworkPolicy"
AUTOSCALER = "HorizontalPodAutoscaler"
KINDS = (SERVICE, BUDGET, POLICY, AUTOSCALER)
OTHER_KEYS = ("rollout", "rolling-update", "rollout-hash")
"""Keys to suggest for the identifying label."""
MOST = 5
"""Objects named in one message."""

Labels = Mapping[str, str]


@dataclass(frozen=True)
class Loss:
    """An object that would have no pod, or no target, after the update."""

    kind: str
    name: str
    keys: frozenset[str] = frozenset()
    """Of the labels by which it selects the old pods and not the new ones."""
    by: str = ""
    """The same to be read: ``key=value``."""
    patch: str = ""
    """A merge patch after which it selects old and new pods; empty if none is known."""


def concerning(kinds: Iterable[str], goal: Goal) -> tuple[str, ...]:
    """Those of ``kinds`` whose objects the update can leave behind."""
    return tuple(kind for kind in kinds if kind != AUTOSCALER or goal.finish is Ending.DELETE_OLD)


def is_checked(goal: Goal) -> bool:
    """Whether what refers to the old controller matters: for an update that begins, not for one in progress.
    One that supersedes another begins, although the controllers have the annotations of the other."""
    known = {controller.name: controller.record for controller in goal.planned}
    old = known.get(goal.original)
    if old is None or goal.target is None or goal.rollback:
        return False
    labelled = old.labelled is not None and old.next_name is None
    follows = any(record.superseded_by == goal.successor for record in known.values())
    return not (labelled or follows or old.next_name == goal.successor)


def refuse_losing(objects: Iterable[Json], goal: Goal, old: Controller) -> None:
    """Raises RefusedError if one of ``objects`` (of ``KINDS``) would lose its pods or its target.
    Malformed ones are passed over."""
    target = goal.target
    if target is None:
        return
    before = [old.labels]
    if isinstance(goal.change, FileChange):
        before.append(goal.change.pod_labels)  # whose value of the identifying label may be replaced
    lost: list[Loss] = []
    for obj in objects:
        try:
            found = _loss(obj, goal, old, before, target.pod_labels)
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        if found is not None:
            lost.append(found)
    if lost:
        told = "; ".join(_told(loss, old) for loss in lost[:MOST])
        more = f"; and {len(lost) - MOST} more" if len(lost) > MOST else ""
        raise RefusedError(
            f"{told}{more}; nothing was changed", hint=_way_out(lost[:MOST], goal, before, target)
        )


def names(autoscaler: Json, controller: str) -> bool:
    """Whether that is its target. Raises AttributeError or KeyError for what the API would not store."""
    reference = autoscaler["spec"]["scaleTargetRef"]
    return (reference.get("kind"), reference.get("name")) == ("ReplicationController", controller)


# --- what is lost ---


def _loss(obj: Json, goal: Goal, old: Controller, before: Sequence[Labels], after: Labels) -> Loss | None:
    kind, name = str(obj["kind"]), str(obj["metadata"]["name"])
    if kind == AUTOSCALER:
        return Loss(kind, name) if goal.finish is Ending.DELETE_OLD and names(obj, old.name) else None
    for place, alternatives in selectors(obj):
        matched = [
            (selector, labels) for labels in before for selector in alternatives if selects(selector, labels)
        ]
        if matched and not any(selects(selector, after) for selector in alternatives):
            selector, labels = matched[0]
            missing = unmet(selector, after)
            keys = frozenset(requirement.key for requirement in missing)
            patch = ""
            if place and len(alternatives) == 1 and not any(one.is_expression for one in missing):
                patch = _patch(place, selector, keys, labels, after)
            return Loss(kind, name, keys, ", ".join(map(str, missing)), patch)
    return None


def selectors(obj: Json) -> Iterator[tuple[tuple[str, ...], list[Json]]]:
    """Where its labels are written, and label selectors, one of which a pod must match. Of the rules of a
    policy those that allow the same ports are alternatives."""
    spec = obj["spec"]
    match obj["kind"]:
        case "Service":
            if spec.get("selector"):  # without one its endpoints are not made of pods
                yield ("spec", "selector"), [{"matchLabels": spec["selector"]}]
        case "PodDisruptionBudget":
            if spec.get("selector"):
                yield ("spec", "selector", "matchLabels"), [spec["selector"]]
        case "NetworkPolicy":
            yield ("spec", "podSelector", "matchLabels"), [spec.get("podSelector") or {}]
            for rules, peers in (("ingress", "from"), ("egress", "to")):
                allowed: dict[str, list[Json]] = {}
                for rule in spec.get(rules) or ():
                    ports = json.dumps(rule.get("ports") or [], sort_keys=True)
                    allowed.setdefault(ports, []).extend(_peers(rule.get(peers)))
                for alternatives in allowed.values():
                    yield (), alternatives


def _peers(peers: list[Json] | None) -> Iterator[Json]:
    """The selectors of pods in the same namespace. A rule without peers allows all."""
    if not peers:
        yield {}
    for peer in peers or ():
        if not peer.get("ipBlock") and not peer.get("namespaceSelector"):
            yield peer.get("podSelector") or {}


def _patch(
    place: tuple[str, ...], selector: Json, keys: frozenset[str], labels: Labels, after: Labels
) -> str:
    """Without those labels. If none is left it selects by all that old and new pods have in common."""
    changed: Json = dict.fromkeys(sorted(keys))
    rest = set(selector.get("matchLabels") or {}) - keys
    if not rest and not selector.get("matchExpressions"):
        common = {key: value for key, value in sorted(labels.items()) if after.get(key) == value}
        if not common:
            return ""
        changed |= common
    for field in reversed(place):
        changed = {field: changed}
    return json.dumps(changed, separators=(",", ":"), ensure_ascii=False)


# --- what is said of it ---


def _told(loss: Loss, old: Controller) -> str:
    if loss.kind == AUTOSCALER:
        return f'{loss.kind} "{loss.name}" scales {old.name}, which this update deletes in the end'
    return (
        f'{loss.kind} "{loss.name}" selects the pods of {old.name} by {loss.by}, which the new pods would '
        "not have"
    )


def _way_out(lost: list[Loss], goal: Goal, before: Sequence[Labels], target: Target) -> Advice:
    lines: list[tuple[str | Action, ...]] = []
    key = goal.label_key
    replaced = is_hash(target.pod_labels.get(key)) and not all(
        is_hash(labels.get(key, "0" * 32)) for labels in before
    )
    rest = [loss for loss in lost if loss.kind == AUTOSCALER or not (replaced and loss.keys == {key})]
    if len(rest) < len(lost):
        ours = [one for one, value in target.pod_labels.items() if one != key and is_hash(value)]
        free = [one for one in OTHER_KEYS if one not in {*target.pod_labels, key}]
        text = "to keep that label, and have old and new pods told apart by another one: "
        lines.append((text, Again(Setting.LABEL_KEY, (*ours, *free, key)[0])))
    for loss in rest:
        resource = loss.kind.lower()
        if loss.kind == AUTOSCALER:
            file = isinstance(goal.change, FileChange)
            keep = Again(Setting.KEEP_NAME) if file else Named((goal.original,))
            pointed = json.dumps(
                {"spec": {"scaleTargetRef": {"name": goal.successor}}}, separators=(",", ":")
            )
            further = "\nor have the new controller scaled from its first pod on: "
            lines.append(
                ("end under the same name: ", keep, further, PatchObject(resource, loss.name, pointed))
            )
        elif loss.patch:
            text = "let it select old and new pods, then run the command again: "
            lines.append((text, PatchObject(resource, loss.name, loss.patch)))
        else:
            text = "let it select old and new pods, then run the command again: "
            lines.append((text, Edit(resource, loss.name)))
    parts: list[str | Action] = []
    for line in lines:
        parts += ["\n", *line] if parts else line
    return Advice(*parts)
