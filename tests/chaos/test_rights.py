"""Who may do what: the Role of docs/rbac.yaml is enough, and each of its rules is needed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from rollupdate.rights import MIGRATION as RULES
from rollupdate.rights import Right, needed
from testing.chaos.arena import Arena, Site
from testing.chaos.owners import watched
from testing.chaos.stories import FIRST, LABELLED, NAME, NEW, OLD, STORIES, UPDATE, Story, controller
from testing.command import ROOT
from testing.objects import Json

pytestmark = pytest.mark.realplane
BOT = "rolling-update-bot"
ROLES: dict[str, Json] = {
    role["metadata"]["name"]: role for role in yaml.safe_load_all((ROOT / "docs" / "rbac.yaml").read_text())
}
FULL = ROLES["rolling-update"]
MIGRATION: Json = yaml.safe_load((ROOT / "docs" / "rbac-migration.yaml").read_text())
THERE, BACK = (NAME, "--to=deployment"), (f"deployment/{NAME}", "--to=replicationcontroller")


@pytest.fixture
def arena(real_site: Site) -> Iterator[Arena]:
    """An empty namespace of the real control plane."""
    with real_site.arena() as arena:
        yield arena


def allow(arena: Arena, role: Json) -> tuple[str, str]:
    """Give a user just that role; the words by which the command is that user."""
    arena.grant(role, BOT)
    return "--as", BOT


def without(verb: str, resource: str) -> Json:
    role = copy.deepcopy(FULL)
    for rule in role["rules"]:
        if resource in rule["resources"]:
            rule["verbs"] = [each for each in rule["verbs"] if each != verb]
    role["rules"] = [rule for rule in role["rules"] if rule["verbs"]]
    return role


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name.replace(" ", "-"))
def test_every_story_as_a_user_with_just_that_role(arena: Arena, story: Story) -> None:
    """Updates of all kinds and rollbacks from anywhere: nothing is refused."""
    user = allow(arena, FULL)
    story.prepare(arena)
    ended = arena.run(*story.command(arena), *user)
    assert ended.status == 0, str(ended)
    assert "forbidden" not in ended.stderr
    story.assert_ended(arena)


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("list", "replicationcontrollers"), ("create", "replicationcontrollers")],
)
def test_a_missing_right_is_named_before_anything_is_written(arena: Arena, verb: str, resource: str) -> None:
    """With the rule to add."""
    user = allow(arena, without(verb, resource))
    FIRST.prepare(arena)
    ended = arena.run(*FIRST.command(arena), *user)
    assert ended.status == 1, str(ended)
    assert f'resources: ["{resource}"], verbs: ["{verb}"]' in ended.stderr
    assert "--print-rbac" in ended.stderr
    assert arena.proxy.log == []


@pytest.mark.parametrize(
    ("verb", "resource"),
    [("patch", "replicationcontrollers"), ("delete", "replicationcontrollers"), ("patch", "pods")],
)
def test_a_right_missed_half_way(arena: Arena, verb: str, resource: str) -> None:
    """It stops and names the rule; once that is there, the same command finishes."""
    user = allow(arena, without(verb, resource))
    FIRST.prepare(arena)
    ended = arena.run(*FIRST.command(arena), *user)
    assert ended.status in (1, 3), str(ended)
    assert f'resources: ["{resource}"], verbs: ["{verb}"]' in ended.stderr
    assert arena.run(*FIRST.command(arena)).status == 0
    FIRST.assert_ended(arena)


def test_pods_that_may_not_be_moved(arena: Arena) -> None:
    """They are released and adopted; with -v=2 the update says why, and the rule to add."""
    user = allow(arena, without("patch", "pods"))
    arena.have(LABELLED)
    ended = arena.run(*UPDATE, "-v=2", *user)
    assert ended.status == 0, str(ended)
    (line,) = ended.stderr.splitlines()
    assert "are released and adopted, as they cannot be moved" in line
    assert 'resources: ["pods"], verbs: ["patch"]' in line
    arena.assert_clean(NAME, NEW, 2)


@pytest.mark.parametrize("kind", ["ReplicationController", "ReplicaSet"])
def test_pods_that_another_controller_would_adopt(arena: Arena, kind: str) -> None:
    """Where they cannot be moved it is named before they are released; with the right they are moved."""
    arena.have(LABELLED)
    another = copy.deepcopy(controller("web", OLD, 0))
    if kind == "ReplicaSet":
        another = {**another, "apiVersion": "apps/v1", "kind": kind}
        another["spec"]["selector"] = {"matchLabels": another["spec"]["selector"]}
        arena.client.create(f"/apis/apps/v1/namespaces/{arena.name}/replicasets", another)
    else:
        arena.create(another)
    user = allow(arena, without("patch", "pods"))
    ended = arena.run(*UPDATE, *user)
    assert ended.status == 3, str(ended)
    assert f'{kind.lower()} "web" selects them too' in ended.stderr
    assert len({pod["metadata"]["ownerReferences"][0]["uid"] for pod in arena.pods()}) == 1
    with watched(arena) as owners:
        ended = arena.run(*UPDATE)
    assert ended.status == 0, str(ended)
    assert (owners.made, owners.gone, owners.unowned) == (set(), set(), set())


def test_without_the_right_to_keep_a_history(arena: Arena) -> None:
    """The update is finished all the same; one line says what is missing, and the rule to add."""
    role = copy.deepcopy(FULL)
    role["rules"] = [rule for rule in role["rules"] if "controllerrevisions" not in rule["resources"]]
    user = allow(arena, role)
    FIRST.prepare(arena)
    ended = arena.run(*FIRST.command(arena), *user)
    assert ended.status == 0, str(ended)
    assert ended.stderr.count("could not be kept") == len(ended.stderr.splitlines()) == 1
    assert 'apiGroups: ["apps"], resources: ["controllerrevisions"], verbs: ["list"]' in ended.stderr
    arena.assert_clean(FIRST.ends_as, NEW, FIRST.size)
    assert arena.revisions() == []
    ended = arena.run(NAME, "--rollback", "--to-revision=0", *user)
    assert ended.status == 1, str(ended)
    assert 'resources: ["controllerrevisions"], verbs: ["list"]' in ended.stderr
    # With nothing in progress there is nothing to roll back, whatever the history holds.
    ended = arena.run(NAME, "--rollback", *user)
    assert (ended.status, ended.stderr) == (1, f"error: Could not find {NAME} to rollback.\n"), str(ended)


def test_a_history_only_looks(arena: Arena) -> None:
    """The smaller Role is enough for it."""
    user = allow(arena, ROLES["rolling-update-dry-run"])
    FIRST.prepare(arena)
    assert arena.run(*FIRST.command(arena)).status == 0
    ended = arena.run(NAME, "--history", *user)
    assert ended.status == 0, str(ended)
    assert NEW in ended.stdout
    assert arena.proxy.writes == 0


ONLY_FOR_TELLING = (
    ("", "", "container nginx crashes: exit code 1; its log ends: starting nginx:crashing | error: "),
    ("get", "pods/log", "container nginx crashes: exit code 1 (no progress"),
    ("list", "events", "container nginx crashes: exit code 1; its log ends: starting nginx:crashing"),
    ("list", "pods", "0 of 1 pods of my-nginx-"),
)


def test_rights_that_are_only_for_telling_why(real_site: Site) -> None:
    """Without one of them there is less to be told, and the update stops and goes on as with it."""

    def tell(verb: str, resource: str, told: str) -> None:
        with real_site.arena() as arena:
            user = allow(arena, without(verb, resource))
            arena.have(LABELLED)
            # Longer than it takes until a wait is explained.
            crashing = (NAME, "--image=nginx:crashing", "--timeout=12s", "--failure-grace=0")
            ended = arena.run(*crashing, *user)
            assert ended.status == 3, str(ended)
            assert told in ended.stderr
            assert "forbidden" not in ended.stderr
            back = arena.run(NAME, "--rollback", *user)
            assert back.status == 0, str(back)

    # At once, as each of them mostly waits.
    with ThreadPoolExecutor(len(ONLY_FOR_TELLING)) as pool:
        for each in [pool.submit(tell, *case) for case in ONLY_FOR_TELLING]:
            each.result()


def test_pods_that_may_not_be_looked_at(arena: Arena) -> None:
    """What they run is not known, which -v=2 says; the template is taken for it."""
    user = allow(arena, without("list", "pods"))
    arena.have(LABELLED)
    said = f"What the pods of {NAME} run was not looked at: Error from server (Forbidden): pods is forbidden"
    for command in ((f"--image={OLD}",), ("--status",), ("--history",)):
        quiet, ended = arena.run(NAME, *command, *user), arena.run(NAME, *command, *user, "-v=2")
        assert quiet.status == ended.status == int(command[0].startswith("--image")), str(ended)
        assert said in ended.stderr
        assert said not in quiet.stderr
    assert arena.proxy.writes == 0


def test_a_disruption_budget_that_may_not_be_read(arena: Arena) -> None:
    """There might be one: the update goes on with one warning, as it might lose its pods."""
    user = allow(arena, without("list", "poddisruptionbudgets"))
    arena.have(LABELLED)
    ended = arena.run(*UPDATE, "--max-unavailable=1", *user)
    assert ended.status == 0, str(ended)
    assert ended.stderr.startswith("Warning: whether a PodDisruptionBudget selects by the label"), str(ended)
    assert ended.stderr.count("\n") == 1


def test_a_dry_run_only_looks(arena: Arena) -> None:
    """The smaller Role is enough for it."""
    user = allow(arena, ROLES["rolling-update-dry-run"])
    FIRST.prepare(arena)
    ended = arena.run(*FIRST.command(arena), *user, "--dry-run=client")
    assert ended.status == 0, str(ended)
    assert arena.proxy.log == []


# --- migrations ---


def just(name: str, *rights: Right) -> Json:
    rules = [
        {"apiGroups": [right.group], "resources": [right.resource], "verbs": [right.verb]} for right in rights
    ]
    return {**MIGRATION, "metadata": {"name": name}, "rules": rules}


def pods_of(arena: Arena) -> set[str]:
    return {pod["metadata"]["uid"] for pod in arena.pods()}


@pytest.mark.parametrize("role", [MIGRATION, just("rolling-update", *needed(RULES))], ids=["whole", "needed"])
def test_a_migration_there_and_back_and_from_the_middle(arena: Arena, role: Json) -> None:
    """As a user with the printed Role, or with just those of its rules that are not optional."""
    user = allow(arena, role)
    arena.have(LABELLED)
    pods = pods_of(arena)
    for command, stopped_at in ((THERE, 4), (BACK, 2)):
        arena.run(*command, *user, trap=(stopped_at, False))
        for words in ((*command, "--rollback"), command):
            ended = arena.run(*words, *user)
            assert ended.status == 0, str(ended)
            assert "forbidden" not in ended.stderr
    assert pods_of(arena) == pods
    assert list(arena.controllers()) == [NAME]


def test_each_right_that_a_migration_misses_is_named_before_anything_is_written(arena: Arena) -> None:
    """Every rule that is not optional, by a user of its own, who has all the others."""
    arena.have(LABELLED)
    before = arena.controller(NAME)["metadata"]["resourceVersion"]

    def refused(number: int, missing: Right) -> None:
        role = just(f"lacking-{number}", *(right for right in needed(RULES) if right != missing))
        arena.grant(role, f"bot-{number}")
        ended = arena.start(*THERE, "--as", f"bot-{number}", beside=True).end()
        assert ended.status == 1, str(ended)
        assert f": {missing.verb} {missing.object}; nothing was changed" in ended.stderr
        assert f"{NAME} --to=deployment --as bot-{number} --print-rbac" in ended.stderr

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(refused, *zip(*enumerate(needed(RULES)), strict=True)))
    assert arena.controller(NAME)["metadata"]["resourceVersion"] == before


def test_a_dry_run_of_a_migration_only_looks(arena: Arena) -> None:
    """The Role that is printed for it is enough."""
    arena.have(LABELLED)
    printed = arena.run(*THERE, "--dry-run=client", "--print-rbac")
    user = allow(arena, yaml.safe_load(printed.stdout))
    ended = arena.run(*THERE, "--dry-run=client", *user)
    assert ended.status == 0, str(ended)
    assert arena.proxy.log == []
