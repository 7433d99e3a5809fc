"""What is asked for and does not fit what is on the cluster: refused before anything is written."""

from __future__ import annotations

from collections.abc import Iterable

from rollupdate.advice import (
    Advice,
    Again,
    DeleteController,
    Edit,
    Kubectl,
    PatchObject,
    Resume,
    RollBack,
    Setting,
)
from rollupdate.core.changes.base import DEFAULT_LABEL_KEY
from rollupdate.core.changes.target import Target
from rollupdate.core.model.config import config_of
from rollupdate.core.model.controller import Controller, owner_of, owner_reference, with_pods_of
from rollupdate.core.model.leaving import deleted, has_arrived, let_go
from rollupdate.core.model.migration import Migration
from rollupdate.core.model.record import Undo
from rollupdate.core.model.rollout import is_successor_of
from rollupdate.core.model.template import is_hash, names_of_update
from rollupdate.core.plan.found import HalfBegun, InProgress
from rollupdate.core.plan.goal import Goal
from rollupdate.errors import ApiError, InProgressError, RefusedError, RollingUpdateError, StoppedError
from rollupdate.objects import CONFIG, CONTROLLER, DEPLOYMENT


def not_found(name: str) -> ApiError:
    return ApiError(404, "NotFound", f'replicationcontrollers "{name}" not found')


def nothing_to_roll_back(name: str, hint: Advice | None = None) -> RefusedError:
    """In the words of kubectl 1.17."""
    return RefusedError(f"Could not find {name} to rollback.", hint=hint)


def refuse_being_a_successor(old: Controller, controllers: Iterable[Controller]) -> None:
    """An update whose old controller is the new one of another update would leave that one without an end."""
    for source in controllers:
        if source.uid == old.uid or not is_successor_of(old, source):
            continue
        if is_successor_of(source, old) and old.record.original is not None:
            continue  # a rollback of ``old`` itself: then each of the two names the other
        if source.deleting and old.record.empty:
            continue  # that update is finished but for the finalizers of its old controller
        raise RefusedError(
            f'ReplicationController "{old.name}" is the new controller of an update of "{source.name}" '
            "in progress; nothing was changed",
            hint=Advice(
                "resume that update with the command that started it, or roll it back with: ",
                RollBack(source.name),
            ),
        )


def refuse_owned(old: Controller) -> None:
    """Whatever controls the controller sets it right again, and makes another one for another template."""
    reference = owner_reference(old)
    if reference is None:
        return
    group = str(reference.get("apiVersion")).rpartition("/")[0]
    resource = str(reference.get("kind")).lower() + (f".{group}" if group else "")
    config = config_of(old)
    moving: tuple[str | Resume, ...] = ()
    if config:
        moving = "\nor have a Deployment, without a restart: ", Resume(moved_to_deployment(config))
    raise RefusedError(
        f'ReplicationController "{old.name}" is controlled by {owner_of(old)}, which would undo the update; '
        "nothing was changed",
        hint=Advice(
            "change the pod template of that object instead: ",
            Edit(resource, str(reference.get("name"))),
            *moving,
        ),
    )


def moved_to_deployment(config: str) -> tuple[str, ...]:
    """The command that moves the pods of that DeploymentConfig: its names and flags."""
    return (f"{CONFIG.word}/{config}", f"{Setting.TO}={DEPLOYMENT.word}")


def refuse_being_deleted(found: HalfBegun | InProgress) -> None:
    """A rollback would give pods to a controller that goes."""
    old = found.old
    if not old.deleting:
        return
    hint = None
    if isinstance(found, InProgress) and found.new.record.empty:
        hint = Advice("the update is complete but for that; undo it with: ", RollBack(found.new.name, 0))
    raise RefusedError(
        f'ReplicationController "{old.name}" is being deleted{old.belongings.holding}; its update cannot be '
        "rolled back, and nothing was changed",
        hint=hint,
    )


def refuse_another_label(old: Controller, label_key: str) -> None:
    """Half way through labelling with one key, another key would leave both on the pods."""
    key = old.record.labelled
    if key is not None and key != label_key:
        raise RefusedError(
            f'ReplicationController "{old.name}" is being labelled with {key} by an update in progress; '
            "nothing was changed",
            hint=Advice(
                f"resume it with {Setting.LABEL_KEY}={key}, or roll it back with: ", RollBack(old.name)
            ),
        )


def refuse_a_label_in_use(old: Controller, label_key: str) -> None:
    """A key of the user's own may be what others select by: its value must not become a hash. For the default
    key it is looked for who does (``references``)."""
    value = old.selector.get(label_key)
    if label_key == DEFAULT_LABEL_KEY or value is None or is_hash(value):
        return
    raise _label_in_use(
        f'ReplicationController "{old.name}" already selects its pods by {label_key}={value}', label_key
    )


def refuse_a_label_to_replace(old: Controller, target: Target, own: str | None, label_key: str) -> None:
    """The same of a label that no controller selects by: the old pods', or (``own``) that of the file."""
    if label_key == DEFAULT_LABEL_KEY or not is_hash(target.pod_labels.get(label_key)):
        return
    for value, whose in ((old.labels.get(label_key), f"the pods of {old.name} have"), (own, "the file has")):
        if value is not None and not is_hash(value):
            raise _label_in_use(f"{whose} the label {label_key}={value} already", label_key)


def _label_in_use(what: str, label_key: str) -> RefusedError:
    other = "rollout" if label_key != "rollout" else "rollout-hash"
    return RefusedError(
        f"{what}; nothing was changed",
        hint=Advice(
            "what selects pods by it would miss the new pods; have old and new pods told apart by another "
            "label: ",
            Again(Setting.LABEL_KEY, other),
        ),
    )


def refuse_the_same_pods(target: Target, other: Controller) -> None:
    if not target.selector:
        return  # it selects nothing: the server is asked, and refuses it
    if other.selector.items() <= target.pod_labels.items() or target.selector.items() <= other.labels.items():
        raise RefusedError(
            f"the new controller must specify a matching key with non-equal value in Selector for "
            f"{other.name}, which it replaces; nothing was changed",
            hint="change a label in its selector and template",
        )


def way_of(migration: Migration, controller: str) -> tuple[str, ...]:
    """The command of a migration: its names and what it goes to."""
    return _up(migration, controller) if migration.to_deployment else _down(migration, controller)


def way_back(migration: Migration, controller: str) -> tuple[str, ...]:
    """The command of the other direction, from the end of it."""
    return _down(migration, controller) if migration.to_deployment else _up(migration, controller)


def taken_back(way: tuple[str, ...]) -> Resume:
    """From the middle of the ``way``."""
    return Resume((*way, str(Setting.ROLLBACK)))


def _up(migration: Migration, controller: str) -> tuple[str, ...]:
    home = migration.home_of(controller)
    named = home if migration.config is None else f"{CONFIG.word}/{home}"
    return (named, *(() if migration.name == home else (migration.name,)), f"{Setting.TO}={DEPLOYMENT.word}")


def _down(migration: Migration, controller: str) -> tuple[str, ...]:
    further = () if migration.name == controller or migration.config is not None else (controller,)
    return (f"{DEPLOYMENT.word}/{migration.name}", *further, f"{Setting.TO}={migration.home.word}")


def migrating(migration: Migration, controller: Controller, *, withdrawn: bool = False) -> InProgressError:
    """``withdrawn``: this command had created a controller by then."""
    name = controller.name
    home = f"{migration.home.word}/{migration.home_of(name)}"
    ends = home, f"{DEPLOYMENT.word}/{migration.name}"
    source, target = ends if migration.to_deployment else reversed(ends)
    rest = "what this command had created was deleted again" if withdrawn else "nothing was changed"
    names = way_of(migration, name)
    if controller.deleting:  # it could not get the pods again
        words = f"the pods of {source} {_are(migration, controller)} {target}; {deleted(controller)}; {rest}"
        return InProgressError(
            words, hint=Advice("to go on once it is gone: ", Resume(names), *_and_let_go(controller))
        )
    return InProgressError(
        f"the pods of {source} are on their way to {target}; {rest}",
        hint=Advice("to go on: ", Resume(names), "\nto go back: ", taken_back(names)),
    )


def _are(migration: Migration, controller: Controller) -> str:
    return "have gone to" if has_arrived(migration, controller) else "are on their way to"


def _and_let_go(controller: Controller) -> tuple[str | PatchObject, ...]:
    command = let_go(controller)
    return () if command is None else ("\nto take its finalizers off, if nothing needs them: ", command)


def refuse_migrating(controller: Controller) -> None:
    if controller.record.migration is not None:
        raise migrating(controller.record.migration, controller)


def refuse_gone_on(controller: Controller, controllers: Iterable[Controller]) -> None:
    """Its pods have gone on from the Deployment to another of the ``controllers``, and come back to none."""
    there = with_pods_of(controller, controllers)
    if there is None:
        return
    config = config_of(controller)
    kind, name = (CONFIG, config) if config else (CONTROLLER, controller.name)
    delete = Kubectl(("delete", f"{CONFIG.qualified}/{config}")) if config else DeleteController(name)
    raise RefusedError(
        f'the pods of {kind.word} "{name}" have gone to {CONTROLLER.word}/{there.name}; nothing was changed',
        hint=Advice(
            "to change them: ",
            Edit(CONTROLLER.word, there.name),
            "\nto move them to a Deployment: ",
            Resume((there.name, f"{Setting.TO}={DEPLOYMENT.word}")),
            "\nto delete what has none any more: ",
            delete,
        ),
    )


def refuse_migrated(controller: Controller, controllers: Iterable[Controller]) -> None:
    """It was kept when its pods went to a Deployment: only the way back gives it pods again."""
    name = controller.migrated_to
    if not name:
        return
    refuse_gone_on(controller, controllers)
    there = f"{DEPLOYMENT.word}/{name}"
    back: tuple[str, ...] = (
        there,
        *(() if name == controller.name else (controller.name,)),
        f"{Setting.TO}={CONTROLLER.word}",
    )
    if config_of(controller):
        back = (there, f"{Setting.TO}={CONFIG.word}")
    raise RefusedError(
        f'the pods of replicationcontroller "{controller.name}" have gone to {there}; nothing was changed',
        hint=Advice("to change them: ", Edit(*there.split("/")), "\nto take them back: ", Resume(back)),
    )


def beside_an_undo(old: Controller, undo: Undo) -> InProgressError:
    return InProgressError(
        f"Found existing in-progress rollback of {old.name} to revision {undo.revision}; nothing was changed",
        hint=Advice(
            "resume it with: ",
            RollBack(old.name, undo.revision),
            "\nor roll it back with: ",
            RollBack(old.name, undo.running),
        ),
    )


def in_progress(name: str, to: str, *, withdrawn: bool = False) -> InProgressError:
    """``withdrawn``: this command had created a controller by then."""
    rest = "what this command had created was deleted again" if withdrawn else "nothing was changed"
    return InProgressError(
        f"Found existing in-progress update of {name} to {to}; {rest}",
        hint=Advice(
            f"resume it with the command that started it, replace it with {Setting.SUPERSEDE}, or go back "
            "with: ",
            RollBack(name),
        ),
    )


def nothing_to_go_back_to(name: str, new: Controller) -> RefusedError:
    """Another client has deleted the old controller in mid-update."""
    resumed = Resume(names_of_update(name, new.name))
    return RefusedError(
        f'replicationcontroller "{name}" was deleted during its update to {new.name}: there is nothing to go '
        "back to; nothing was changed",
        hint=Advice("complete the update with the command that started it: ", resumed),
    )


def finishing(name: str, to: str) -> RefusedError:
    return RefusedError(
        f'the update of "{name}" to {to} is finishing and cannot be superseded; nothing was changed',
        hint="resume it with the command that started it, then run the new update",
    )


def changed_meanwhile(
    name: str, *, labelled: bool = False, kind: str = CONTROLLER.word
) -> RollingUpdateError:
    """What it was planned on is no more. ``labelled``: the old pods have got the deployment label by then."""
    what = f'{kind} "{name}" was changed by another client in the meantime'
    if labelled:
        return StoppedError(f"{what}; stopping")
    return RefusedError(
        f"{what}; this command changed nothing",
        hint="run the command again to see what it would do now",
    )


def edited(controller: Controller, original: str) -> RefusedError:
    """``original``: the name of the old controller, which is perhaps that one."""
    return RefusedError(
        f"{edited_words(controller)}; nothing was changed",
        hint=Advice("roll that update back, then run the new one: ", RollBack(original)),
    )


def edited_words(controller: Controller) -> str:
    return (
        f'the pod template of replicationcontroller "{controller.name}" was edited by another client '
        "during the update"
    )


def taken_name(goal: Goal) -> RefusedError:
    return RefusedError(
        f'ReplicationController "{goal.successor}" already exists and is not the new controller of an update '
        f'of "{goal.original}"; nothing was changed',
        hint=Advice(
            "choose another name for the new controller, or delete it with: ",
            DeleteController(goal.successor),
        ),
    )
