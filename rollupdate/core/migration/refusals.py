"""Why a migration is not begun: each with the way out. Pure; the objects are read in
``engine.migration_plan``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rollupdate.advice import Advice, Again, DeleteController, Edit, Kubectl, Named, Resume, RollBack, Setting
from rollupdate.core.migration import tools
from rollupdate.core.model import record
from rollupdate.core.model.belonging import Belongings
from rollupdate.core.model.config import config_of
from rollupdate.core.model.controller import Controller, controlling, owner_of, owner_uid
from rollupdate.core.model.deployment import Deployment
from rollupdate.core.model.migration import HASH_LABEL, Migration
from rollupdate.core.model.selecting import selects
from rollupdate.core.plan.references import selectors
from rollupdate.core.plan.refusals import migrating, taken_back, way_of
from rollupdate.counts import counted
from rollupdate.errors import ApiError, RefusedError
from rollupdate.objects import AUTOSCALER, CONFIG, CONTROLLER, DEPLOYMENT, REPLICA_SET, Json, Kind
from rollupdate.rights import Right

_NOTHING = "nothing was changed"

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_LONGEST_NAME = 253
"""A DNS subdomain (RFC 1123), as the API server has it."""


def refuse_managed(kind: str, obj: Json) -> None:
    """Whoever manages it would undo what is done to it, or make it anew."""
    name, found = obj["metadata"]["name"], tools.marks_of(obj)
    if not found:
        return
    tool = found[0].tool
    manifest = Again(Setting.DRY_RUN, "client", ((Setting.OUTPUT, "yaml"),))
    raise RefusedError(
        f'{kind} "{name}" is managed by {tool}, which would undo this; {_NOTHING}',
        hint=Advice(
            "put the new manifest into its repository in place of this one: ",
            manifest,
            "\nthen take its marks off and run the command again:",
            *tools.taken_off(found, f"{kind}/{name}"),
        ),
    )


def refuse_autoscalers(autoscalers: Iterable[Json], target: str) -> None:
    """Whoever makes one of them, or manages it, would have it name again what it names now. ``target``:
    KIND/NAME of what it is to name."""
    for obj in autoscalers:
        name, owner, found = obj["metadata"]["name"], controlling(obj), tools.marks_of(obj)
        if owner is not None:
            group = str(owner.get("apiVersion")).rpartition("/")[0]
            named = f"{str(owner.get('kind')).lower()}{f'.{group}' if group else ''}/{owner.get('name')}"
            raise RefusedError(
                f'{AUTOSCALER.word} "{name}" belongs to {owner.get("kind")} "{owner.get("name")}", which '
                f"would undo that it names {target}; {_NOTHING}",
                hint=Advice(
                    f"save that one, delete it, and after the move create it again for {target}: ",
                    Kubectl(("delete", named)),
                ),
            )
        if found:
            raise RefusedError(
                f'{AUTOSCALER.word} "{name}" is managed by {found[0].tool}, which would undo that it names '
                f"{target}; {_NOTHING}",
                hint=Advice(
                    f"let it name {target} in its repository, then take the marks off, and run the command "
                    "again:",
                    *tools.taken_off(found, f"{AUTOSCALER.word}/{name}"),
                ),
            )


def refuse_deleting(*objects: Json | None) -> None:
    """Of those that are there none may be on its way out: nothing would come of it."""
    for obj in objects:
        if obj is not None and obj["metadata"].get("deletionTimestamp"):
            name, holding = obj["metadata"]["name"], Belongings.of(obj["metadata"]).holding
            raise RefusedError(f'{obj["kind"].lower()} "{name}" is being deleted{holding}; {_NOTHING}')


def refuse_controlled(obj: Json) -> None:
    """Whatever controls it would set it right again, or make it anew. Of a ReplicationController see
    :func:`refuse_owned`."""
    owner = controlling(obj)
    if owner is not None:
        named = f'{owner.get("kind")} "{owner.get("name")}"'
        raise RefusedError(
            f'{obj["kind"].lower()} "{obj["metadata"]["name"]}" belongs to {named}, which would undo this; '
            f"{_NOTHING}",
            hint=f"it is {named} that must be changed instead",
        )


def refuse_owned(controller: Controller) -> None:
    owner = owner_of(controller)
    if owner is None:
        return
    there = controller.migrated_to
    hint: str | Advice = f"it is {owner} that must be moved"
    if config_of(controller) and there:
        back = (f"{DEPLOYMENT.word}/{there}", f"{Setting.TO}={CONFIG.word}")
        hint = Advice("to move the pods back to that one: ", Resume(back))
    raise RefusedError(
        f'replicationcontroller "{controller.name}" belongs to {owner}, which scales it; {_NOTHING}',
        hint=hint,
    )


def lost(controller: Controller) -> RefusedError:
    """The Deployment that had the pods of the controller, which was kept, was deleted with them."""
    return RefusedError(
        f'{DEPLOYMENT.word} "{controller.migrated_to}" had the pods of {CONTROLLER.word} '
        f'"{controller.name}", and is gone; {_NOTHING}',
        hint=Advice(
            "to have some again, delete it and create it from its file: ", DeleteController(controller.name)
        ),
    )


def refuse_updating(controller: Controller, all_controllers: Iterable[Controller]) -> None:
    partner = next((one for one in all_controllers if one.record.source_id == controller.identity), None)
    known = controller.record
    if partner is None and known.empty:
        return
    temporary = partner is None and known.source_id is not None and known.next_name is None
    which = f"an update to {partner.name}" if partner else "an update"
    named = known.source_id.partition(":")[0] if temporary and known.source_id else controller.name
    raise RefusedError(
        f'{which} of replicationcontroller "{named}" is in progress; {_NOTHING}',
        hint=Advice("finish it with its command, or roll it back: ", RollBack(named)),
    )


def refuse_unsettled(controller: Controller) -> None:
    """``controller``: what has the pods, of either kind. It would be waited for in the middle."""
    kind = controller.kind.word
    if controller.observed and not controller.settled:
        raise RefusedError(
            f'{kind} "{controller.name}" has {counted(controller.current, "pod")} and wants '
            f"{controller.replicas}; {_NOTHING}",
            hint=Advice("once it has them, run the command again; see: ", _describe(kind, controller.name)),
        )


def refuse_selector(controller: Controller, label_key: str) -> None:
    """``label_key``: of our label, which a Deployment does without."""
    if HASH_LABEL in controller.selector:
        raise RefusedError(
            f'replicationcontroller "{controller.name}" selects its pods by {HASH_LABEL}, which a Deployment '
            f"sets itself; {_NOTHING}",
            hint=Advice("let it select without that: ", Kubectl(("edit", "rc", controller.name))),
        )
    if not {key for key in controller.selector if key != label_key}:
        raise RefusedError(
            f'replicationcontroller "{controller.name}" selects its pods by {label_key} alone, which a '
            f"Deployment cannot do; {_NOTHING}",
            hint=Advice(
                "give its template a label of its own and select by it: ",
                Kubectl(("edit", "rc", controller.name)),
            ),
        )


def refuse_selecting(
    objects: Iterable[Json], before: Mapping[str, str], key: str, source: str, target: Kind
) -> None:
    """Something selects by the label ``key``, which the pods that ``target`` makes later will not have.
    ``before``: labels of the pods of ``source``."""
    after = {one: text for one, text in before.items() if one != key}
    for obj in objects:
        for _, alternatives in selectors(obj):
            found = any(selects(one, before) for one in alternatives)
            if found and not any(selects(one, after) for one in alternatives):
                name = obj["metadata"]["name"]
                raise RefusedError(
                    f'{obj["kind"]} "{name}" selects the pods of {source} by {key}, which '
                    f"the pods of a {target.name} do not have; {_NOTHING}",
                    hint=Advice(
                        "let it select by another label: ", Kubectl(("edit", obj["kind"].lower(), name))
                    ),
                )


def refuse_overlap(migration: Migration, but: frozenset[str], workloads: Iterable[Json]) -> None:
    """Another workload selects what is to be moved. ``but``: uids of those that take part."""
    labels = {
        **{key: text for key, text in migration.labels.items() if key != migration.label_key},
        HASH_LABEL: migration.digest,
    }
    for raw in workloads:
        if raw["metadata"].get("uid") in but or raw["metadata"].get("deletionTimestamp"):
            continue
        if _selects(raw, labels):
            kind, name = raw["kind"], raw["metadata"]["name"]
            way: tuple[str, Edit | Kubectl] = (
                "let it select by labels that they do not have: ",
                Edit(kind.lower(), name),
            )
            if kind == REPLICA_SET.name and owner_uid(raw) is None:
                way = (
                    "if it is left over from an earlier move, delete it with its pods: ",
                    Kubectl(("delete", f"{kind.lower()}/{name}")),
                )
            elif kind != CONTROLLER.name:
                way = (
                    "its selector cannot be changed, so it has to be made anew, with labels of its own: ",
                    _describe(kind.lower(), name),
                )
            raise RefusedError(
                f'{kind} "{name}" selects these pods as well, and would take them; {_NOTHING}',
                hint=Advice(*way),
            )


def refuse_others_pods(pods: Iterable[Json], owners: frozenset[str], target: str) -> None:
    """The Deployment would select pods of others. ``owners``: uids of those that take part."""
    for pod in pods:
        if owner_uid(pod) not in owners and not pod["metadata"].get("deletionTimestamp"):
            name = pod["metadata"]["name"]
            raise RefusedError(
                f'pod "{name}" matches the selector of {target}, and would be none of its pods; {_NOTHING}',
                hint=Advice(
                    "give it other labels, or delete it: ",
                    Edit("pod", name),
                ),
            )


def not_to_be_written(kind: Kind, name: str, error: ApiError, *, there: bool = True) -> RefusedError:
    """The server refuses the first write of all for good. ``there``: it is no creation."""
    mend = Advice("mend that, then run the command again: ", Edit(kind.word, name))
    return RefusedError(
        f'{kind.word} "{name}" cannot be written: {error.text}; {_NOTHING}',
        hint=mend if there and error.is_invalid else None,
    )


def refuse_name(kind: Kind, name: str) -> None:
    """Of what is to be created. The server would refuse it too, in the middle of its other words."""
    if len(name) > _LONGEST_NAME or not all(map(_LABEL.fullmatch, name.split("."))):
        raise RefusedError(
            f'"{name}" can not be the name of a {kind.name}: at most {_LONGEST_NAME} lower case letters, '
            f"digits, - and ., with a letter or a digit at each end; {_NOTHING}"
        )


def refuse_taken(kind: str, name: str, source: str, wanted: str) -> None:
    """``source``: what is moved, as a command has it; ``wanted``: the name that was to be given."""
    raise RefusedError(
        f'{kind} "{name}" exists already, and is none of this; {_NOTHING}',
        hint=Advice("under another name: ", Named((source, f"{wanted}-2"))),
    )


def refuse_other_flags(begun: Migration, controller: str, keep: bool | None, spec: Mapping[str, Any]) -> None:
    """The move that is in progress was begun with others. None and a missing field: not asked for."""
    known, rolling = begun.deployment["spec"], spec.get("strategy", {}).get("rollingUpdate", {})
    amounts = (known.get("strategy") or {}).get("rollingUpdate") or {}
    asked = (
        (Setting.KEEP_OLD, keep, begun.keep),
        (Setting.MAX_SURGE, rolling.get("maxSurge"), amounts.get("maxSurge")),
        (Setting.MAX_UNAVAILABLE, rolling.get("maxUnavailable"), amounts.get("maxUnavailable")),
        (Setting.MIN_READY_SECONDS, spec.get("minReadySeconds"), known.get("minReadySeconds", 0)),
        (Setting.HISTORY_LIMIT, spec.get("revisionHistoryLimit"), known.get("revisionHistoryLimit")),
    )
    other = [str(flag) for flag, wanted, found in asked if wanted is not None and wanted != found]
    if not other:
        return
    names = way_of(begun, controller)
    raise RefusedError(
        f"the move to {DEPLOYMENT.word}/{begun.name} that is in progress was begun with another value of "
        f"{_and(other)}; {_NOTHING}",
        hint=Advice(
            "to go on as it was begun: ",
            Resume(names),
            "\nor first go back, then begin it with that value: ",
            taken_back(names),
        ),
    )


def refuse_unfinished(target: Deployment, controllers: Iterable[Controller]) -> None:
    """It is in the middle of a move whose record is not where it was looked for: that is on another of the
    ``controllers``, or has gone with what the pods came from or went to."""
    if not target.source_uid:
        return
    for controller in controllers:
        if controller.uid == target.source_uid and controller.record.migration is not None:
            raise migrating(controller.record.migration, controller)
    named = f"{DEPLOYMENT.word}/{target.name}"
    unlabel = Kubectl(("label", named, f"{record.MIGRATION}-"))
    left, hint = "with a label of the move", Advice("to take it off: ", unlabel)
    if target.paused:
        left = "paused"
        resume = Kubectl(("rollout", "resume", named))
        hint = Advice("to go on with what it has: ", resume, "\nthen: ", unlabel)
    raise RefusedError(
        f'{DEPLOYMENT.word} "{target.name}" was left {left}, as the other end of the move was deleted; '
        f"{_NOTHING}",
        hint=hint,
    )


def not_in_progress(name: str, back: tuple[str, ...] | None) -> RefusedError:
    """``back``: the command that goes back from the end, if it has come there."""
    hint = None if back is None else Advice("to go back from the end: ", Resume(back))
    return RefusedError(f'no move of "{name}" is in progress; {_NOTHING}', hint=hint)


def mutated(kind: str, name: str, paths: list[str]) -> RefusedError:
    """Something in the cluster changes what is created."""
    return RefusedError(
        f'the server changes the template of {kind} "{name}" as it is created ({", ".join(paths[:5])}), so '
        f"its pods would be restarted; {_NOTHING}",
        hint=Advice(
            "it is a mutating webhook; see: ",
            Kubectl(("get", "mutatingwebhookconfigurations")),
        ),
    )


def missing_rights(namespace: str, missing: Iterable[Right]) -> RefusedError:
    """All of them, by object."""
    verbs: dict[str, list[str]] = {}
    for right in missing:
        verbs.setdefault(right.object, []).append(right.verb)
    listed = "; ".join(f"{_and(names)} {plural}" for plural, names in verbs.items())
    return RefusedError(
        f'rights are missing in namespace "{namespace}": {listed}; {_NOTHING}',
        hint=Advice("the Role that has them, to be applied by an administrator: ", Again(Setting.PRINT_RBAC)),
    )


def _and(words: Sequence[str]) -> str:
    *front, last = words
    return f"{', '.join(front)} and {last}" if front else last


def _selects(raw: Json, labels: Mapping[str, str]) -> bool:
    try:
        spec = raw["spec"]
        selector = spec.get("selector") or spec["template"]["metadata"]["labels"]
        return selects({"matchLabels": selector} if raw["kind"] == CONTROLLER.name else selector, labels)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _describe(kind: str, name: str) -> Kubectl:
    return Kubectl(("describe", kind, name))
