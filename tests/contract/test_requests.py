"""The tables of requests: sent to the real control plane and to the sandbox, they are answered the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from testing.controlplane.private import PrivatePlane
from testing.namespace import PLURALS
from tests.contract import (
    deviations,
    table_apps,
    table_autoscaling,
    table_changing,
    table_configs,
    table_creating,
    table_deleting,
    table_deployments,
    table_disruption,
    table_owning,
    table_patching,
    table_priority,
    table_reading,
    table_revisions,
    table_watching,
)
from tests.contract.case import Case
from tests.contract.conftest import Namespaces, new_name
from tests.contract.deviations import DEVIATIONS, Deviation
from tests.contract.normal import Normal, by_name, differences
from tests.contract.wire import Answer
from tests.support import planes

CASES = (
    *table_reading.CASES,
    *table_creating.CASES,
    *table_changing.CASES,
    *table_patching.CASES,
    *table_deleting.CASES,
    *table_watching.CASES,
    *table_revisions.CASES,
    *table_owning.CASES,
    *table_priority.CASES,
    *table_apps.CASES,
    *table_deployments.CASES,
    *table_autoscaling.CASES,
    *table_disruption.CASES,
    *table_configs.CASES,
)

_AT_ONCE = 16
"""Cases under way: most of the time is spent waiting for watches to end."""


def _answers(cluster: Namespaces, namespace: str, case: Case) -> list[Any]:
    """What one cluster says, comparable."""
    wire = cluster.make(namespace)
    for manifest in case.have:
        wire.call("POST", wire.path(PLURALS[manifest["kind"]]), manifest)
    answers: list[Answer] = []
    for ask in case.asks:
        wire.settle()
        answers.append(wire.send(ask, answers))
    wire.remove_controllers()
    normal = Normal()
    return [
        {"status": answer.status, "body": normal.of(by_name(answer.body) if ask.unordered else answer.body)}
        for ask, answer in zip(case.asks, answers, strict=True)
    ]


def _differences(real: list[Any], sandbox: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """Answer by answer; of answers with another status nothing but that and what they say."""
    for number, (one, other) in enumerate(zip(real, sandbox, strict=True)):
        if one["status"] == other["status"]:
            yield from differences(one["body"], other["body"], str(number))
        else:
            yield str(number), _outcome(one), _outcome(other)


def _outcome(answer: Any) -> tuple[int, Any]:
    body = answer["body"]
    return answer["status"], body.get("message", body) if isinstance(body, dict) else body


@pytest.fixture(scope="module")
def outcomes(
    request: pytest.FixtureRequest, real_namespaces: Namespaces, like_real_namespaces: Namespaces
) -> Iterator[dict[str, list[Future[list[Any]]]]]:
    """The answers of the real cluster and of the sandbox to each case of this run, many at a time."""
    ids = [item.name.partition("[")[2].removesuffix("]") for item in request.session.items]
    cases = [case for case in CASES if case.name in ids]
    if not isinstance(request.getfixturevalue("control_plane"), PrivatePlane):
        cases = [case for case in cases if case not in table_configs.CASES]
    elif any(case in table_configs.CASES for case in cases):
        request.getfixturevalue("openshift_real")
    with ThreadPoolExecutor(_AT_ONCE) as pool:

        def ask(case: Case) -> list[Future[list[Any]]]:
            namespace = new_name()
            return [
                pool.submit(_answers, cluster, namespace, case)
                for cluster in (real_namespaces, like_real_namespaces)
            ]

        yield {case.name: ask(case) for case in cases}


@pytest.mark.realplane
@pytest.mark.xdist_group(planes.GROUPS[0])  # each worker with one of them would ask for all the answers
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_answer_the_same(case: Case, outcomes: dict[str, list[Future[list[Any]]]], minor: int) -> None:
    """Status and body of every answer are equal, but for the known deviations of that release, which are
    still there."""
    if case.name not in outcomes:
        pytest.skip("on another's cluster no kind is defined")
    real, sandbox = (future.result() for future in outcomes[case.name])
    found = list(_differences(real, sandbox))
    known = deviations.known(case.name, minor)
    unknown = [each for each in found if deviations.place(each[0]) not in known]
    told = "\n".join(f"{path}:\n  real:    {r!r}\n  sandbox: {s!r}" for path, r, s in unknown)
    assert not unknown, f"{case.name}\n{told}"
    stale = deviations.certain(case.name, minor) - {deviations.place(path) for path, _, _ in found}
    assert not stale, f"these deviations are gone, take them out of the table: {stale}"


def test_every_case_has_a_name_of_its_own() -> None:
    """And every known deviation is of a case that there is."""
    names = Counter(case.name for case in CASES)
    assert [name for name, count in names.items() if count > 1] == []
    assert {name for deviation in DEVIATIONS for name in deviation.cases} - names.keys() == set()


def test_an_entry_counts_on_the_releases_it_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """On those it must be true; on one that nobody has looked at it may be."""
    old = Deviation("then", ("0.message",), ("a case",), until=20)
    new = Deviation("now", ("0",), ("a case",), since=36)
    at_times = Deviation("now, at times", ("2",), ("a case",), since=36, always=False)
    of_another = Deviation("both", ("1",), ("another case",))
    monkeypatch.setattr(deviations, "DEVIATIONS", (old, new, at_times, of_another))
    assert [deviations.known("a case", minor) for minor in (20, 36)] == [{"0.message"}, {"0", "2"}]
    assert [deviations.certain("a case", minor) for minor in (20, 36)] == [{"0.message"}, {"0"}]
    assert deviations.known("a case", 30) == {"0.message", "0", "2"}
    assert deviations.certain("a case", 30) == set()
