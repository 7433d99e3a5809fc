"""The documented lines, one for each fact, as they happen.

What kubectl 1.17 printed goes to standard output, to the letter. What this tool says beyond that (why it
waits, what others did, that the API server is away) goes to standard error.
"""

from __future__ import annotations

from typing import TextIO

from rollupdate.core.model.duration import format_duration
from rollupdate.core.plan.room import amount_of
from rollupdate.counts import counted
from rollupdate.events import (
    ApiReachable,
    ApiUnreachable,
    Arranged,
    BudgetBroken,
    Continuing,
    Created,
    EditLeft,
    Event,
    Evicted,
    Finished,
    HistoryNotKept,
    Labelling,
    LeftBehind,
    LookLeftOut,
    Migrated,
    NoRoom,
    NotMoved,
    Paused,
    PodRefused,
    PodsDiffer,
    PodsNotSeen,
    ReferencesUnseen,
    Renaming,
    Resuming,
    Returning,
    RollingBack,
    Scaled,
    ScaledByOthers,
    ScalingPlanned,
    SizeContested,
    Succeeded,
    SupersededGone,
    Superseding,
    TemplateRestored,
    Undoing,
    UpToDate,
    Verified,
    Verifying,
    VerifyOutput,
    Waiting,
)
from rollupdate.objects import CONFIG
from rollupdate.report.running import not_seen, other_pods
from rollupdate.report.text import printable

_VERBOSITY: dict[type[Event], int] = {Labelling: 1, LookLeftOut: 2, NotMoved: 2, PodsNotSeen: 2}
"""What ``-v`` must be for it to be told."""


class PlainReport:
    """Writes to ``out`` and ``notes`` line by line, flushed each time.

    ``suffix`` follows the last line (a dry run says that it was one). ``verbosity``: see ``_VERBOSITY``.
    ``new_name``: NEW_NAME, if the update is to it and not by a file, whose last lines are documented.
    ``hold`` keeps the documented lines back until :meth:`release`. ``quiet``: kinds of
    events that are shown otherwise; ``only``: those that are all that is wanted.
    """

    def __init__(
        self,
        out: TextIO,
        notes: TextIO,
        *,
        suffix: str = "",
        verbosity: int = 0,
        new_name: str = "",
        hold: bool = False,
        quiet: tuple[type[Event], ...] = (),
        only: tuple[type[Event], ...] | None = None,
    ) -> None:
        self._held: list[str] | None = [] if hold else None
        self._out = out
        self._notes = notes
        self._suffix = suffix
        self._verbosity = verbosity
        self._new_name = new_name
        self._quiet = quiet
        self._only = only

    def __call__(self, event: Event) -> None:
        if isinstance(event, self._quiet) or not (self._only is None or isinstance(event, self._only)):
            return
        line = self._renamed(event) or documented_line(event)
        if line is not None:
            last = isinstance(event, (Finished, UpToDate, Migrated))
            line += self._suffix if last else ""
            if self._held is None:
                self._say(self._out, line)
            else:
                self._held.append(line)
            return
        note = further_line(event)
        if note is not None and self._verbosity >= _VERBOSITY.get(type(event), 0):
            self._say(self._notes, note)

    def _renamed(self, event: Event) -> str | None:
        """The words of kubectl 1.17 for an update to another name."""
        match event:
            case Succeeded(removing, rollback=False) if self._new_name:
                return f"Update succeeded. Deleting {removing}"
            case Finished(controller) if self._new_name == controller:
                name = event.subject.name
                return f'replicationcontroller "{name}" rolling updated to "{controller}"'
        return None

    def release(self) -> None:
        """Say what was held back."""
        held, self._held = self._held or [], None
        for line in held:
            self._say(self._out, line)

    def _say(self, stream: TextIO, line: str) -> None:
        stream.write(printable(line) + "\n")
        stream.flush()


def documented_line(event: Event) -> str | None:
    """The line on standard output, in the words of the documentation; None where it has none."""
    match event:
        case Resuming(successor):
            return f"Found existing update in progress ({successor}), resuming."
        case Continuing(growing):
            return f"Continuing update with existing controller {growing}."
        case Created(controller):
            return f"Created {controller}"
        case RollingBack(controller, replicas):
            return f'Setting "{controller}" replicas to {replicas}'
        case ScalingPlanned():
            return (
                f"Scaling up {event.growing} from {event.growing_from} to {event.growing_to}, "
                f"scaling down {event.shrinking} from {event.shrinking_from} to 0 "
                f"(keep {event.floor} pods available, don't exceed {event.ceiling} pods)"
            )
        case Scaled(controller, before, after):
            return f"Scaling {controller} {'up' if after > before else 'down'} to {after}"
        case Evicted(controller, pods, left):
            return f"Evicted {_pods(pods)} of {controller}, {left} left"
        case Succeeded(removing, rollback):
            return f"Update succeeded. Deleting {'' if rollback else 'old controller: '}{removing}"
        case Renaming(temporary, lasting):
            return f"Renaming {temporary} to {lasting}"
        case Finished(controller):
            return f'replicationcontroller "{controller}" rolling updated'
        case UpToDate(controller):
            return f'replicationcontroller "{controller}" is up to date'
        case Arranged():
            return _arranged(event)
        case Migrated(source, target, pods, undone):
            given_back = target.startswith(CONFIG.qualified)  # it has been there all the time
            done = f"{'rolled back' if undone else 'restored' if given_back else 'created'} from {source}"
            return f"{target} {done}; {counted(pods, 'pod')} kept"
        case _:
            return None


def _pods(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else counted(len(names), "pod")


def _arranged(event: Arranged) -> str:
    """A step of a migration."""
    match event.act:
        case "held":
            return f"Holding {event.object}: it makes no pods and deletes none"
        case "moved":
            return f"Moved {counted(event.pods, 'pod')} from {event.other} to {event.object}"
        case "emptied":
            return f"Emptied {event.object}: it wants no pods, and matches none"
        case "stopped":
            return f"Scaled {event.object} to 0"
        case "handed over":
            return f"Handed {event.object} over to {event.other}"
        case "pointed":
            return f"Pointed {event.object} at {event.other}"
        case "noted":
            return f"Wrote the state of the move onto {event.object} again: another client had taken it off"
        case "turned":
            return f"Going back: {event.other}" if event.other else "Going back"
    return f"{event.act.capitalize()} {event.object}"


def further_line(event: Event) -> str | None:
    """The line on standard error, for what the old command did not tell."""
    match event:
        case Labelling(controller, pods, key, value):
            return f"Labelling {counted(pods, 'pod')} of {controller} with {key}={value}"
        case NotMoved(controller, reason):
            return f"The pods of {controller} are released and adopted, as they cannot be moved: {reason}"
        case TemplateRestored(controller):
            return f"Restoring the template of {controller}, which another client edited during the update"
        case Returning(temporary, lasting):
            return f"Returning the pods of {lasting} to {temporary}"
        case Undoing(controller, revision):
            return f"Rolling {controller} back to revision {revision}"
        case EditLeft(source, target, fields):
            return (
                f"Warning: another client edited the pod template of {source} meanwhile "
                f"({', '.join(fields)}); {target} does not have that"
            )
        case LeftBehind(source, note):
            return f"{source}: {note}"
        case HistoryNotKept(controller, problem, hint):
            further = f"; {hint}" if hint else ""
            return f"Warning: the history of {controller} could not be kept: {problem}{further}"
        case PodsDiffer(controller):
            return f"{other_pods(controller, event)}; all are replaced"
        case PodsNotSeen(controller, problem):
            return not_seen(controller, problem)
        case ScaledByOthers(controller, before, after, goal):
            return (
                f"{controller} was scaled from {before} to {after} by another client; "
                f"the update now targets {counted(goal, 'pod')}"
            )
        case SizeContested(controller, replicas, by, problem):
            unseen = f" (autoscalers could not be looked for: {problem})" if problem else ""
            return (
                f"{by} scales {controller} to {replicas} again whenever the update changes that; the update "
                f"waits longer each time, and goes on as soon as the size stays{unseen}"
            )
        case Waiting(reason, available_in=float(rest)):
            return f"Waiting: {reason}; available in {format_duration(rest)}"
        case Waiting(reason, seconds):
            return f"Waiting: {reason} (no progress for {format_duration(seconds)})"
        case Paused(controller, available, target):
            return f"Paused: {available} of {target} pods of {controller} are available"
        case Verifying(controller, available):
            return f"Verifying {counted(available, 'pod')} of {controller}"
        case Verified(controller, available, None):
            return f"Verified {counted(available, 'pod')} of {controller}"
        case Verified(controller, available, problem):
            return f"The check of {counted(available, 'pod')} of {controller} failed: {problem}"
        case VerifyOutput(text):
            return f"  {text}"
        case Superseding(controller, replicas, by):
            return (
                f"Superseding the update to {controller} ({counted(replicas, 'pod')} to scale down) by {by}"
            )
        case SupersededGone(controller):
            return f"Deleted {controller}, which has no pods left"
        case NoRoom():
            return _without_room(event)
        case PodRefused(controller, problem):
            return f"Warning: the server refuses a new pod of {controller} now: {problem}; the update goes on"
        case BudgetBroken(budget, asked, floor, hint, evicts):
            further = f"; {hint}" if hint else ""
            follows = f"but this update keeps {floor}; their nodes cannot be drained meanwhile"
            if evicts:
                follows = f"which leaves none of {floor} to be evicted; evictions wait for it"
            required = counted(asked, "available pod")
            return f"Warning: PodDisruptionBudget {budget} requires {required}, {follows}{further}"
        case ReferencesUnseen(kinds, problem):
            return (
                f"Warning: whether a {' or '.join(kinds)} selects by the label that this update changes, or "
                f"names a controller that it deletes, could not be seen: {problem}"
            )
        case LookLeftOut(resource, problem):
            return f"Not looked at: {resource}: {problem}"
        case ApiUnreachable(problem):
            return f"API server unreachable, retrying: {problem}"
        case ApiReachable(seconds):
            return f"API server reachable again after {format_duration(seconds)}"
        case _:
            return None


def _without_room(event: NoRoom) -> str:
    """With figures, of all that is short."""
    needs = f"surge {event.surge} needs" if event.surge else "the new pods need"
    short = "; ".join(
        f"{amount_of(one.resource, one.needed, more=not event.surge)}, quota {one.quota} has {one.free} free "
        f"of {one.hard}"
        for one in event.shortages
    )
    then = "waits for room" if event.waits else "goes on with the pods that fit"
    return f"Warning: {needs} {short}; the update of {event.controller} {then}; {event.hint}"
