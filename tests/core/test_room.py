"""Whether the new pods fit into what quotas leave free."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollupdate.core.changes.target import Ending, beside
from rollupdate.core.model.budget import Amount, Budget
from rollupdate.core.model.controller import Controller
from rollupdate.core.plan.goal import Goal
from rollupdate.core.plan.policy import Policy
from rollupdate.core.plan.room import Course, Need, Pod, Pods, amount_of, room
from rollupdate.errors import RefusedError
from rollupdate.events import NoRoom, Shortage
from testing.objects import Json
from tests.core.worlds import old_and_new
from tests.support.manifests import limit_range, quota

# --- the arithmetic, against an update that is played through ---


def comes_to_its_end(course: Course, *, new: int, old: list[int], others: int, hard: int) -> bool:
    """An update whose pods are available at once, if the quota lets them be made. The largest of the old ones
    go first."""
    old = sorted(old)
    have, left = 0, len(old)
    while have < course.desired or left:
        before = have, left
        while (
            have < course.desired
            and (not left or have + left < course.bounds.ceiling)
            and others + new * (have + 1) + sum(old[:left]) <= hard
        ):
            have += 1
        left = min(left, 0 if have >= course.desired else max(0, course.bounds.floor - have))
        if (have, left) == before:
            return False
    return True


def need_of(course: Course, *, new: int, old: list[int], others: int, hard: int) -> Need:
    """``old``: one pod of each controller."""
    held = sum(number * amount for number, amount in zip(course.current, old, strict=True))
    return Need(
        quota="q",
        resource="memory",
        allowed=str(hard),
        hard=Fraction(hard),
        used=Fraction(others + held),
        new=Fraction(new),
        old=Fraction(min(old)),
        held=Fraction(held),
        least=Fraction(min(old)),
    )


sizes = st.integers(1, 6)
amounts = st.integers(0, 4)
few = st.integers(0, 3)


@given(sizes, sizes, few, few, amounts, amounts, st.integers(0, 5), st.integers(0, 40))
def test_it_is_said_if_and_only_if_an_update_would_stand_still(
    original: int, desired: int, surge: int, unavailable: int, new: int, old: int, others: int, hard: int
) -> None:
    bounds = Budget(Amount(surge), Amount(unavailable)).bounds(original=original, desired=desired)
    course = Course((original,), original, desired, bounds)
    need = need_of(course, new=new, old=[old], others=others, hard=hard)
    ends = comes_to_its_end(course, new=new, old=[old] * original, others=others, hard=hard)
    assert (need.stalls(course) is None) == ends
    alone = comes_to_its_end(course, new=new, old=[old] * original, others=0, hard=hard)
    assert need.never(course) != alone
    at_once = course.surge * new
    assert (need.begins(course) is None) == (at_once <= max(Fraction(), need.free))


@given(sizes, few, few, few, few, amounts, st.lists(amounts, min_size=2, max_size=2), few, st.integers(0, 40))
def test_of_several_templates_only_what_is_certain_is_said(
    size: int,
    old: int,
    superseded: int,
    surge: int,
    unavailable: int,
    new: int,
    held: list[int],
    others: int,
    hard: int,
) -> None:
    bounds = Budget(Amount(surge), Amount(unavailable)).bounds(original=size, desired=size)
    course = Course((old, superseded), old + superseded, size, bounds)
    need = need_of(course, new=new, old=held, others=others, hard=hard)
    pods = [held[0]] * old + [held[1]] * superseded
    if comes_to_its_end(course, new=new, old=pods, others=others, hard=hard):
        assert need.stalls(course) is None
    if comes_to_its_end(course, new=new, old=pods, others=0, hard=hard):
        assert not need.never(course)


# --- what is said of it ---

SMALL = {"requests": {"memory": "512Mi"}}
LARGE = {"requests": {"memory": "1Gi"}}


def spec(resources: Json, **more: Any) -> Json:
    return {"containers": [{"name": "c", "resources": resources}], **more}


def counted(hard: dict[str, str], used: Json, **more: Any) -> Json:
    return {**quota(hard, "mem", **more), "status": {"hard": hard, "used": used}}


def said(
    *quotas: Json,
    new: Json = SMALL,
    old: Json = SMALL,
    surge: int = 1,
    unavailable: int = 0,
    size: int = 3,
    superseded: Json | None = None,
    **more: Any,
) -> NoRoom | None:
    """Of an update of three pods. ``superseded``: one that had got two of its three pods, of which each
    asks for that."""
    left, made = (3, 0) if superseded is None else (1, 2)
    shrinking, other = old_and_new(
        old=left, new=made, original=3, desired=3, old_available=left, new_available=made
    )
    policy = Policy(budget=Budget(Amount(surge), Amount(unavailable)))
    template = {"spec": spec(new)}
    before = replace(shrinking, replicas=3)
    target = beside(before, name="bar", selector={}, template=template, digest="", metadata={}, replicas=size)
    goal = Goal(original="foo", successor="bar", finish=Ending.DELETE_OLD, policy=policy, target=target)
    earlier = [] if superseded is None else [(other, spec(superseded))]
    controllers: list[Controller] = [shrinking, *(controller for controller, _ in earlier)]
    olds = [spec(old), *(one for _, one in earlier)]
    pods = Pods.of(spec(new), olds, more.get("ranges", []), more.get("admitted"))
    return room(quotas, goal, controllers, pods)


def short(*quotas: Json, **more: Any) -> tuple[Shortage, ...]:
    found = said(*quotas, **more)
    return () if found is None else found.shortages


@pytest.mark.parametrize(
    ("resource", "amount", "more", "words"),
    [
        ("pods", "1", False, "1 pod"),
        ("count/pods", "3", True, "3 more pods"),
        ("pods", "2k", False, "2k pods"),
        ("requests.memory", "512Mi", False, "512Mi of requests.memory"),
        ("cpu", "1", True, "1 more of cpu"),
    ],
)
def test_an_amount_in_words(resource: str, amount: str, more: bool, words: str) -> None:
    assert amount_of(resource, amount, more=more) == words


def test_the_surge_does_not_fit() -> None:
    """With figures, and the flags with which it does."""
    found = said(counted({"requests.memory": "4Gi"}, {"requests.memory": "4Gi"}))
    assert found is not None
    assert found.shortages == (Shortage("mem", "requests.memory", "512Mi", "0", "4Gi"),)
    assert (found.surge, found.waits) == (1, True)
    assert str(found.hint) == (
        "to need no room, with 2 pods available meanwhile: the same command with --max-surge=0 "
        "--max-unavailable=1"
    )


def test_it_fits() -> None:
    for hard, used in (("4Gi", "3584Mi"), ("4Gi", "3.5Gi"), ("4G", "3G")):
        assert said(counted({"memory": hard}, {"memory": used})) is None
    assert said(counted({"memory": "4Gi"}, {"memory": "4Gi"}), surge=0, unavailable=1) is None
    assert said(counted({"configmaps": "1", "cpu": "0"}, {"configmaps": "1", "cpu": "0"})) is None
    assert said() is None


def test_some_of_it_fits() -> None:
    """It goes on with what fits."""
    found = said(counted({"pods": "5"}, {"pods": "4"}), surge=3)
    assert found is not None
    assert (found.surge, found.waits) == (3, False)
    assert found.shortages == (Shortage("mem", "pods", "3", "1", "5"),)


def test_a_larger_pod_in_the_place_of_an_old_one() -> None:
    """Three pods of twice the size: 1.5Gi more in the end."""
    full = counted({"memory": "4Gi"}, {"memory": "4Gi"})
    found = said(full, new=LARGE, surge=0, unavailable=1)
    assert found is not None
    assert (found.surge, found.shortages[0].needed) == (0, "1536Mi")
    assert str(found.hint) == "to see it: kubectl describe resourcequota mem"
    half = counted({"memory": "4Gi"}, {"memory": "2560Mi"})
    assert said(half, new=LARGE, surge=0, unavailable=1) is None


def test_more_pods_than_before() -> None:
    found = said(counted({"pods": "8"}, {"pods": "6"}), size=6)
    assert found is not None
    assert (found.surge, found.shortages[0].needed) == (0, "3")


def test_a_quota_that_is_used_beyond_its_limit() -> None:
    """What is too much has to go as well."""
    over = counted({"pods": "8"}, {"pods": "9"})
    assert short(over, surge=0, unavailable=1) == (Shortage("mem", "pods", "1", "0", "8"),)


def test_several_quotas() -> None:
    first = counted({"pods": "3", "cpu": "1"}, {"pods": "3", "cpu": "1"})
    second = counted({"memory": "2Gi", "pods": "9"}, {"memory": "2Gi", "pods": "3"})
    with pytest.raises(RefusedError):  # of the first the pods themselves need more than there can be
        said(first, second)
    first["spec"]["hard"]["pods"] = first["status"]["used"]["pods"] = "4"
    assert [(one.resource, one.needed) for one in short(first, second)] == [
        ("pods", "1"),
        ("memory", "512Mi"),
    ]


@pytest.mark.parametrize(
    ("hard", "more", "message", "hint"),
    [
        (
            {"pods": "3"},
            {},
            'the update of foo needs at least 4 pods, but ResourceQuota "mem" allows 3',
            "to need no room, with 2 pods available meanwhile: the same command with --max-surge=0",
        ),
        (
            {"memory": "900Mi"},
            {"new": LARGE},
            'a new pod of foo needs 1Gi of memory, but ResourceQuota "mem" allows 900Mi',
            "let a pod ask for less, or raise the quota: kubectl edit resourcequota mem",
        ),
        (
            {"memory": "2Gi"},
            {"new": LARGE, "surge": 0},
            'the update of foo needs at least 3Gi of memory, but ResourceQuota "mem" allows 2Gi',
            "let a pod ask for less, or raise the quota",
        ),
        (
            {"memory": "2Gi"},
            {"new": LARGE},
            'the update of foo needs at least 3584Mi of memory, but ResourceQuota "mem" allows 2Gi',
            "let a pod ask for less, or raise the quota",
        ),
        (
            {"memory": "2Gi"},
            {"new": LARGE, "superseded": {}},
            'the update of foo needs at least 3Gi of memory, but ResourceQuota "mem" allows 2Gi',
            "let a pod ask for less, or raise the quota",
        ),
        (
            {"pods": "5"},
            {"size": 6, "surge": 0},
            'the update of foo needs at least 6 pods, but ResourceQuota "mem" allows 5',
            "have fewer pods, or raise the quota: kubectl edit resourcequota mem",
        ),
        (
            {"count/pods": "0"},
            {"surge": 3},
            'the update of foo needs at least 4 pods, but ResourceQuota "mem" allows 0',
            "have fewer pods, or raise the quota",
        ),
    ],
)
def test_what_can_never_fit(hard: dict[str, str], more: Json, message: str, hint: str) -> None:
    used = {"pods": "3", "memory": "1536Mi", "count/pods": "3"}
    with pytest.raises(RefusedError) as caught:
        said(counted(hard, {name: used[name] for name in hard}), **more)
    assert caught.value.message.startswith(message)
    assert caught.value.message.endswith("; nothing was changed")
    assert str(caught.value.hint).startswith(hint)
    assert caught.value.exit_status == 1


def test_an_earlier_update_that_is_superseded() -> None:
    """Its pods go as well: without a surge no room is needed, and that is what is advised."""
    for full in (counted({"pods": "8"}, {"pods": "8"}), counted({"memory": "8Gi"}, {"memory": "8Gi"})):
        found = said(full, superseded=SMALL)
        assert found is not None
        assert str(found.hint).endswith("the same command with --max-surge=0 --max-unavailable=1")
        assert not short(full, superseded=SMALL, surge=0, unavailable=1)
    assert not short(counted({"pods": "8"}, {"pods": "7"}), superseded=SMALL)


@pytest.mark.parametrize(
    ("superseded", "new", "needed"),
    [
        (LARGE, SMALL, None),  # 2560Mi now, 1536Mi in the end
        (LARGE, LARGE, "512Mi"),
        (SMALL, LARGE, "1536Mi"),
        ({}, LARGE, "2560Mi"),
    ],
)
def test_pods_of_several_templates(superseded: Json, new: Json, needed: str | None) -> None:
    """One of 512Mi and two of the superseded update: what they have now is exact, also if nothing else is."""
    full = counted({"memory": "9Gi"}, {"memory": "9Gi"})
    found = short(full, superseded=superseded, new=new, surge=0, unavailable=1)
    assert [one.needed for one in found] == ([] if needed is None else [needed])


# --- scopes ---


@pytest.mark.parametrize(
    ("scopes", "resources", "counts"),
    [
        (["BestEffort"], {}, True),
        (["BestEffort"], SMALL, False),
        (["NotBestEffort"], {}, False),
        (["NotBestEffort"], SMALL, True),
        (["NotTerminating"], {}, True),
        (["Terminating"], {}, False),
        (["NotTerminating", "NotBestEffort"], {}, False),
        (["SomethingNew"], {}, False),
        (["CrossNamespacePodAffinity"], {}, False),
    ],
)
def test_scopes(scopes: list[str], resources: Json, counts: bool) -> None:
    """A quota for other pods is not looked at, nor is one of which cannot be told for which it is."""
    full = counted({"pods": "8"}, {"pods": "8"}, scopes=scopes)
    assert bool(short(full, new=resources)) is counts


def test_a_scope_that_depends_on_ranges_that_may_not_be_read() -> None:
    full = counted({"pods": "8"}, {"pods": "8"}, scopes=["BestEffort"])
    assert not short(full, new={}, ranges=None)
    assert short(full, new={}, ranges=None, admitted=spec({}))
    full = counted({"pods": "8"}, {"pods": "8"}, scopes=["NotBestEffort"])
    assert short(full, new=SMALL, ranges=None)


@pytest.mark.parametrize(
    ("operator", "values", "named", "counts"),
    [
        ("In", ["high"], "high", True),
        ("In", ["high"], "low", False),
        ("NotIn", ["high"], "low", True),
        ("NotIn", ["high"], "high", False),
        ("Exists", None, "low", True),
        ("DoesNotExist", None, "low", False),
        ("In", ["high"], "", None),
        ("Exists", None, "", None),
        ("Like", ["h*"], "high", None),
    ],
)
def test_priority_classes(operator: str, values: Any, named: str, counts: bool | None) -> None:
    """A pod that names none may get the cluster's default one: that is known of an admitted pod alone."""
    term = {"scopeName": "PriorityClass", "operator": operator, "values": values}
    scoped = counted({}, {}, scopeSelector={"matchExpressions": [term]})
    pod = Pod.of(spec({}, priorityClassName=named), [])
    assert pod.is_counted(scoped) is counts
    if not named:
        assert replace(pod, admitted=True).is_counted(scoped) is False


# --- what is not known ---


def test_what_a_webhook_adds_it_has_added_to_the_old_pods_as_well() -> None:
    """A sidecar of 256Mi: in the place of an old pod a new one needs nothing more."""
    full = counted({"memory": "4Gi"}, {"memory": "4Gi"})
    admitted = spec({"requests": {"memory": "768Mi"}})
    assert short(full, admitted=admitted)[0].needed == "768Mi"
    assert not short(full, admitted=admitted, surge=0, unavailable=1)


def test_pods_that_were_given_less_than_their_template_says() -> None:
    """The quota counts less than that: what a new pod will be given cannot be told, but by the server."""
    few = counted({"memory": "1Gi"}, {"memory": "1Gi"})
    assert not short(few)
    with pytest.raises(RefusedError, match="needs at least 1536Mi of memory"):
        said(few, admitted=spec(SMALL))


GIVEN = spec({"requests": {"memory": "1Gi"}, "limits": {"memory": "1Gi"}})
RANGE = limit_range(default={"memory": "1Gi"}, defaultRequest={"memory": "1Gi"})


@pytest.mark.parametrize("admitted", [None, GIVEN])
def test_a_limit_range_that_is_newer_than_the_old_pods(admitted: Json | None) -> None:
    """They have nothing of what it gives to the new ones."""
    asked: Json = {"new": {}, "old": {}, "ranges": [RANGE], "admitted": admitted}
    with pytest.raises(RefusedError, match="needs at least 3Gi of memory, but"):
        said(counted({"memory": "2Gi"}, {"memory": "0"}), **asked)
    assert short(counted({"memory": "3Gi"}, {"memory": "2560Mi"}), **asked)[0].needed == "1Gi"
    assert not short(counted({"memory": "3Gi"}, {"memory": "2Gi"}), **asked)  # the old ones may have all


def test_a_limit_range_that_may_be_newer() -> None:
    """Then it is not refused: others may hold what the quota counts, and it is told all the same."""
    full = counted({"memory": "3Gi"}, {"memory": "3Gi"})
    assert short(full, new={}, old={}, ranges=[RANGE])[0].needed == "1Gi"


@pytest.mark.parametrize(
    ("scope", "resources", "ranges", "refuses"),
    [
        ("BestEffort", {}, [], True),
        ("NotBestEffort", SMALL, [], True),
        ("NotBestEffort", {}, [RANGE], False),  # it may be newer than the old pods
    ],
)
def test_a_scoped_quota_that_its_own_pods_fill(
    scope: str, resources: Json, ranges: list[Json], refuses: bool
) -> None:
    """By one without a scope it would be refused as well."""
    full = counted({"pods": "3"}, {"pods": "3"}, scopes=[scope])
    if refuses:
        with pytest.raises(RefusedError, match="needs at least 4 pods"):
            said(full, new=resources, old=resources, ranges=ranges)
    else:
        assert short(full, new=resources, old=resources, ranges=ranges)


def test_a_quota_that_has_not_counted_yet() -> None:
    """Only what can never be is told."""
    fresh = quota({"memory": "2Gi"}, "mem")
    assert not short(fresh)
    with pytest.raises(RefusedError):
        said(fresh, new={"requests": {"memory": "3Gi"}})


@pytest.mark.parametrize(
    "malformed", [{}, {"spec": None}, {"spec": {"hard": 3}}, {"spec": {"scopes": [3]}}, 3]
)
def test_one_that_is_malformed_hides_no_other(malformed: Any) -> None:
    assert short(malformed, counted({"pods": "8"}, {"pods": "8"}))
    assert not short(counted({"pods": "eight", "memory": "8"}, {"pods": "8", "memory": None}), new={})


def test_no_new_pods() -> None:
    assert not short(counted({"pods": "1"}, {"pods": "3"}), size=0)
