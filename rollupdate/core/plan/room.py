"""Whether the new pods fit into what the ResourceQuotas leave free, before the first write. Pure.

Computed from what the quotas say of themselves and from the pod templates. A quota is left out if it cannot
be told whether it counts the new pods, or how much of it they need. The objects are read in ``engine.room``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rollupdate.advice import Advice, Again, Edit, Kubectl, Setting
from rollupdate.core.model.budget import Amount, Bounds, Budget
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.pod_resources import PodResources
from rollupdate.core.model.quantity import parse, written
from rollupdate.core.plan.goal import Goal
from rollupdate.counts import counted
from rollupdate.errors import RefusedError
from rollupdate.events import NoRoom, Shortage
from rollupdate.objects import Json

QUOTA, LIMIT_RANGE = "ResourceQuota", "LimitRange"
NEEDS_NO_ROOM = Budget(Amount(0), Amount(1))
"""An old pod goes before each new one comes."""
NUMBERS = ("pods", "count/pods")
"""Resources of which each pod counts one."""
_NOTHING = Fraction()


# --- pods as a quota sees them ---


@dataclass(frozen=True)
class Pod:
    """One pod: by a template, or as the server has admitted it."""

    spec: Json
    resources: PodResources
    ranged: bool
    """What LimitRanges add is in it."""
    admitted: bool = False
    """All that is added to it is in it."""
    counted_by: str = ""
    """A quota that the server has named, as it has no room for such a pod."""

    @classmethod
    def of(
        cls, spec: Json, limit_ranges: Iterable[Json] | None, *, admitted: bool = False, counted_by: str = ""
    ) -> Pod:
        """``limit_ranges``: None if they are not known."""
        ranged = admitted or limit_ranges is not None
        return cls(spec, PodResources.of(spec, limit_ranges or ()), ranged, admitted, counted_by)

    def is_counted(self, quota: Json) -> bool | None:
        """Whether it is in all scopes of ``quota``; None if that cannot be told."""
        if self.counted_by == quota["metadata"]["name"]:
            return True
        spec = quota["spec"]
        terms = [{"scopeName": scope} for scope in spec.get("scopes") or ()]
        terms += (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
        answers = [self._is_in(term) for term in terms]
        return False if False in answers else None if None in answers else True

    def _is_in(self, term: Json) -> bool | None:
        match term["scopeName"]:
            case "BestEffort" | "NotBestEffort" as scope:
                best_effort = self.resources.best_effort
                return None if best_effort and not self.ranged else best_effort is (scope == "BestEffort")
            case "Terminating" | "NotTerminating" as scope:
                ends = self.spec.get("activeDeadlineSeconds") is not None
                return ends is (scope == "Terminating")
            case "PriorityClass":
                return self._is_of(term.get("operator") or "Exists", term.get("values") or ())
        return None

    def _is_of(self, operator: str, classes: Sequence[str]) -> bool | None:
        name = self.spec.get("priorityClassName")
        if not name and not self.admitted:
            return None  # the cluster may have a default class
        known = {"In": name in classes, "NotIn": name not in classes, "Exists": bool(name)}
        return {**known, "DoesNotExist": not name}.get(operator)

    def held(self, quota: Json, *, surely: bool = False) -> dict[str, Fraction]:
        """What it holds of ``quota``. ``surely``: nothing if it cannot be told that the quota counts it."""
        counts = self.is_counted(quota)
        return self.resources.counted if counts or (counts is None and not surely) else {}


@dataclass(frozen=True)
class Pods:
    """One new pod, and one of each controller that shrinks, as far as they are known."""

    new: Pod
    template: Pod
    """The new one without what only the server adds."""
    old: tuple[Pod, ...]
    least: tuple[Pod, ...]
    """The old ones without what LimitRanges add, which may be newer than they are."""

    @classmethod
    def of(
        cls,
        new: Json,
        old: Sequence[Json],
        limit_ranges: Sequence[Json] | None,
        admitted: Json | None = None,
        refused_by: str = "",
    ) -> Pods:
        """``new`` and ``old``: specifications of the templates; ``admitted``: that of a new pod as the server
        would store it; ``refused_by``: a quota that it has no room in. Raises AttributeError or TypeError for
        what the API would not store."""
        template = Pod.of(new, limit_ranges, counted_by=refused_by)
        known = template if admitted is None else Pod.of(admitted, (), admitted=True)
        name = new.get("priorityClassName")
        alike = [refused_by if spec.get("priorityClassName") == name else "" for spec in old]
        ranged = tuple(Pod.of(spec, limit_ranges, counted_by=by) for spec, by in zip(old, alike, strict=True))
        least = tuple(Pod.of(spec, (), counted_by=by) for spec, by in zip(old, alike, strict=True))
        return cls(known, template, ranged, least)


# --- how many there are on the way ---


@dataclass(frozen=True)
class Course:
    """The pods of an update, in numbers."""

    current: tuple[int, ...]
    """Old ones now, of each controller that shrinks."""
    size: int
    """The same with pods that are still to be made, or still to go."""
    desired: int
    """New ones to be made."""
    bounds: Bounds

    @classmethod
    def of(cls, goal: Goal, budget: Budget, shrinking: Sequence[Controller]) -> Course:
        target = goal.target
        assert target is not None, "there is something to make room for"
        return cls(
            tuple(controller.current for controller in shrinking),
            sum(controller.max_pods for controller in shrinking),
            target.replicas,
            budget.bounds(original=target.baseline, desired=target.replicas),
        )

    @property
    def surge(self) -> int:
        """New pods that are made before any old one goes."""
        return max(0, min(self.desired, self.bounds.ceiling - self.size))

    def together(self, old: Sequence[Fraction]) -> Fraction:
        """What all old pods hold now. ``old``: one of each controller."""
        return sum((number * held for number, held in zip(self.current, old, strict=True)), _NOTHING)

    def most(self, new: Fraction, old: Fraction) -> Fraction:
        """What new and old pods hold at the tightest moment, if as many old ones have gone as may go, and one
        more new one has to fit. By the number of new ones that is convex from where the first old one may go:
        it is largest there or at the end."""
        last = self.desired - 1
        tightest = (min(last, max(0, self.bounds.floor - self.size)), last)
        kept = (min(self.size, max(0, self.bounds.floor - there)) for there in tightest)
        return max(new * (there + 1) + old * rest for there, rest in zip(tightest, kept, strict=True))

    def more(self, new: Fraction, old: Fraction, held: Fraction) -> Fraction:
        """The same beyond what all old ones hold now, which is ``held``. ``old``: what the smallest holds."""
        needed = self.most(new, old) - held
        stays = self.bounds.floor >= sum(self.current)  # until there is a new one
        return max(new, needed) if stays else needed


@dataclass(frozen=True)
class Need:
    """Of one resource that a quota names."""

    quota: str
    resource: str
    allowed: str
    """In the quota's own words."""
    hard: Fraction
    used: Fraction | None
    """None if the quota has not counted yet."""
    new: Fraction
    """Held by one new pod."""
    old: Fraction
    """Held by one old pod; by the smallest if they are of several templates, or not alike."""
    held: Fraction
    """By all old pods now; at the most, if they are not alike."""
    least: Fraction
    """Held by one old pod for certain."""

    @property
    def free(self) -> Fraction:
        return self.hard - (self.used or _NOTHING)

    def never(self, course: Course) -> bool:
        """Whether it does not fit even if all else is gone."""
        return course.most(self.new, self.least) > self.hard

    def begins(self, course: Course) -> Fraction | None:
        """What the first new pods need, if that is more than is free."""
        needed = self.new * course.surge
        return needed if self.used is not None and needed > max(self.free, _NOTHING) else None

    def stalls(self, course: Course) -> Fraction | None:
        """What has to become free before the update can come to its end; None if nothing has to."""
        if self.used is None:
            return None
        more = course.more(self.new, self.old, self.held)
        return more - min(self.free, _NOTHING) if more > self.free else None

    def shortage(self, amount: Fraction) -> Shortage:
        free = self.written(max(self.free, _NOTHING))
        return Shortage(self.quota, self.resource, self.written(amount), free, self.allowed)

    def written(self, amount: Fraction) -> str:
        """As the quota writes it."""
        return written(amount, self.allowed)


def _needs(quotas: Iterable[Json], pods: Pods, course: Course) -> Iterator[Need]:
    """Malformed quotas are passed over."""
    for quota in quotas:
        try:
            if pods.new.is_counted(quota):
                yield from list(_needs_of(quota, pods, course))
        except (AttributeError, KeyError, TypeError):
            continue


def _needs_of(quota: Json, pods: Pods, course: Course) -> Iterator[Need]:
    new, template = pods.new.resources.counted, pods.template.resources.counted
    old = [pod.held(quota) for pod in pods.old]
    least = [pod.held(quota, surely=True) for pod in pods.least]
    for resource, allowed in sorted((quota["spec"].get("hard") or {}).items()):
        amount, hard = new.get(resource), parse(allowed)
        used = parse(((quota.get("status") or {}).get("used") or {}).get(resource))
        if not amount or hard is None:
            continue
        # What the server adds to a new pod it has added to the old ones.
        added = amount - template.get(resource, amount)
        held = [max(_NOTHING, pod[resource] + added) if pod.get(resource) else _NOTHING for pod in old]
        sure = [min(most, pod.get(resource, _NOTHING)) for most, pod in zip(held, least, strict=True)]
        together = course.together(held)
        if used is not None and together > used:  # they were given less than that
            if course.together(sure) > used:
                if not pods.new.admitted:
                    continue  # by what gives them less than their template says: so may the new ones be
                sure = [_NOTHING]
            held, together = sure, used  # else the LimitRanges are newer than they are
        name = str(quota["metadata"]["name"])
        yield Need(name, resource, str(allowed), hard, used, amount, min(held), together, min(sure))


# --- what is said of it ---


def room(quotas: Iterable[Json], goal: Goal, shrinking: Sequence[Controller], pods: Pods) -> NoRoom | None:
    """What does not fit now; None if all does. ``shrinking``: the old controller, and superseded ones.

    Raises RefusedError if it can never fit."""
    if goal.target is None or goal.target.replicas == 0:
        return None
    course = Course.of(goal, goal.policy.budget, shrinking)
    spare = Course.of(goal, NEEDS_NO_ROOM, shrinking)
    needs = list(_needs(quotas, pods, course))
    never = [need for need in needs if need.never(course)]
    if never:
        helps = spare != course and not any(need.never(spare) for need in needs)
        raise _refused(never, goal, spare if helps else None, course)
    begins = [(need, amount) for need in needs if (amount := need.begins(course)) is not None]
    stalls = [(need, amount) for need in needs if (amount := need.stalls(course)) is not None]
    short = tuple(need.shortage(amount) for need, amount in begins or stalls)
    if not short:
        return None
    hint = Advice("to see it: ", Kubectl(("describe", "resourcequota", short[0].quota)))
    if spare != course and not any(need.stalls(spare) is not None for need in needs):
        hint = _sparing(spare, goal)
    return NoRoom(goal.original, course.surge if begins else 0, short, bool(stalls), hint)


def amount_of(resource: str, amount: str, *, more: bool = False) -> str:
    """In words: ``3 pods``, ``512Mi of requests.memory``. ``more``: than the old pods have."""
    further = "more " if more else ""
    if resource not in NUMBERS:
        return f"{amount} {further}of {resource}"
    return counted(int(amount), f"{further}pod") if amount.isdigit() else f"{amount} {further}pods"


def _refused(never: Sequence[Need], goal: Goal, spare: Course | None, course: Course) -> RefusedError:
    """``spare``: a course on which it would fit."""
    single = [need for need in never if need.new > need.hard and need.resource not in NUMBERS]
    need = (single or never)[0]
    if single:
        spare = None
        wants = f"a new pod of {goal.original} needs {amount_of(need.resource, need.written(need.new))}"
    else:
        most = need.written(course.most(need.new, need.least))
        wants = f"the update of {goal.original} needs at least {amount_of(need.resource, most)}"
    less = "have fewer pods" if need.resource in NUMBERS else "let a pod ask for less"
    raising = Advice(f"{less}, or raise the quota: ", Edit("resourcequota", need.quota))
    return RefusedError(
        f'{wants}, but ResourceQuota "{need.quota}" allows {need.allowed}; nothing was changed',
        hint=raising if spare is None else _sparing(spare, goal),
    )


def _sparing(spare: Course, goal: Goal) -> Advice:
    allowed = ", if budgets allow that" if goal.policy.evicts else ""
    return Advice(
        f"to need no room, with {counted(spare.bounds.floor, 'pod')} available meanwhile{allowed}: ",
        Again(Setting.MAX_SURGE, "0", ((Setting.MAX_UNAVAILABLE, "1"),)),
    )
