"""What is answered to the words so far, and that it is soon, quiet, and nothing where nothing is known."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest

from rollupdate.cli.completion import Answer, answer
from rollupdate.cli.flags import FLAGS
from rollupdate.cli.shells import script
from testing import command
from testing.command import COMPLETE, ROOT, Ended, environment
from testing.objects import Json
from testing.openshift import names
from tests.cluster.servers import Request, controller, listing, serving
from tests.e2e.world import World, opened
from tests.support.openshift import OpenShift, config_of

SIDE = ["registry.test:5000/side:v1"]


def values(world: World, *words: str) -> list[str]:
    return [value for value, _ in answered(world, *words).candidates]


def answered(world: World, *words: str) -> Answer:
    return answer(words, {"KUBECONFIG": str(world.kubeconfig)})


def test_the_first_word_is_a_controller_with_its_size_and_images(world: World) -> None:
    assert answered(world, "").lines() == (
        "my-nginx\t3 replicas, nginx:1.7.9, registry.test:5000/side:v1\nother\t1 replica, nginx:1.7.9\n:4\n"
    )
    assert values(world, "my") == ["my-nginx"]
    assert values(world, "rc/o") == ["rc/other"]
    assert values(world, "--image=a:b", "-v", "6", "--rollback", "o") == ["other"]
    assert values(world, "-n", "default", "o") == []


def test_the_second_word_is_a_name_that_is_not_there_yet(world: World) -> None:
    assert answered(world, "my-nginx", "") == Answer()
    assert answered(world, "--image", "a:b", "my-nginx", "o") == Answer()


def test_flags_are_offered_with_their_help_and_not_twice(world: World) -> None:
    offered = answered(world, "my-nginx", "--")
    assert [value for value, _ in offered.candidates] == [
        f"--{flag.name}" for flag in FLAGS if flag.name != flag.short
    ]
    assert dict(offered.candidates)["--rollback"].startswith("Roll back")
    assert {"-f", "-n", "-v", "--image"} <= set(values(world, "-"))
    assert "--container" not in values(world, "--container", "a", "--")
    assert "--image" in values(world, "--image", "a=b", "--")
    assert "--as-group" in values(world, "--as-group=a", "--")
    assert values(world, "--", "-") == []


def test_names_of_what_is_moved(world: World) -> None:
    """To a controller go the pods of a Deployment, to a Deployment those of a controller."""
    template = world.api.controller("other")["spec"]["template"]
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "other"}}, "template": template}
    path = f"/apis/apps/v1/namespaces/{world.namespace}/deployments"
    kind = {"apiVersion": "apps/v1", "kind": "Deployment"}
    world.api.client.create(path, {**kind, "metadata": {"name": "shop"}, "spec": spec})
    assert values(world, "--to=deployment", "") == ["my-nginx", "other"]
    offered = answered(world, "--to=replicationcontroller", "")
    assert offered.lines() == "deployment/shop\t2 replicas, nginx:1.7.9\n:4\n"
    assert values(world, "--to", "rc", "deploy/s") == ["deploy/shop"]
    assert values(world, "deployment/") == ["deployment/shop"]
    assert values(world, "--to=rc", "o") == []
    kinds = ["deployment", "deploy", "replicationcontroller", "rc", "deploymentconfig", "dc"]
    assert values(world, "--to=") == kinds
    assert values(world, "--to=dc", "") == ["deployment/shop"]
    assert values(world, "--keep-o") == ["--keep-old"]
    assert values(world, "--print") == ["--print-rbac"]


def test_names_of_deploymentconfigs(openshift_sandbox: OpenShift, tmp_path: Path) -> None:
    """Where the type is given; on a cluster that knows no such kind nothing is offered."""
    with opened(openshift_sandbox.kubeconfig, "complete", tmp_path) as world:
        path = f"/apis/{names.VERSION}/namespaces/{world.namespace}/{names.PLURAL}"
        world.api.client.create(path, config_of("shop", triggers=[]))
        assert values(world, "--to=deployment", "dc/") == ["dc/shop"]
        assert values(world, "deploymentconfig.apps.openshift.io/s") == [
            "deploymentconfig.apps.openshift.io/shop"
        ]


def test_without_the_kind_no_name_of_it_is_offered(world: World) -> None:
    assert values(world, "--to=deployment", "dc/") == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--dry-run="], ["none", "client", "server"]),
        (["--dry-run=s"], ["server"]),
        (["-o", ""], ["json", "yaml", "name"]),
        (["-o=y"], ["yaml"]),
        (["--image-pull-policy", ""], ["Always", "Never", "IfNotPresent"]),
        (["--keep-name="], ["true", "false"]),
        (["my-nginx", "--container", ""], ["nginx", "sidecar"]),
        (["rc/my-nginx", "--container=s"], ["sidecar"]),
        (
            ["my-nginx", "--image="],
            ["nginx:", "nginx:1.7.9", SIDE[0][:-2], *SIDE, "nginx=", "sidecar="],
        ),
        (["my-nginx", "--image", "nginx="], ["nginx=nginx:", "nginx=nginx:1.7.9"]),
        (["my-nginx", "--image=sidecar="], ["sidecar=" + SIDE[0][:-2], "sidecar=" + SIDE[0]]),
        (["--container", ""], []),
        (["missing", "--container", ""], []),
        (["--timeout", ""], []),
        (["--no-such-flag="], []),
        (["--no-such-flag", "o"], ["other"]),
        (["--kubeconfig", "/no/such/file", ""], []),
        (["--context", "missing", ""], []),
        (["--server", "not an address", ""], []),
        (["--request-timeout=nonsense", ""], []),
    ],
)
def test_values_of_flags(world: World, words: list[str], expected: list[str]) -> None:
    assert values(world, *words) == expected


def test_every_choice_that_is_offered_is_one_that_the_flag_takes() -> None:
    offered = [(flag, choice) for flag in FLAGS for choice in flag.kind.choices]
    assert {"dry-run", "output", "validate", "rollback"} <= {flag.name for flag, _ in offered}
    for flag, choice in offered:
        flag.kind.parse(choice)


def test_files_are_left_to_the_shell(world: World) -> None:
    assert answered(world, "my-nginx", "-f", "").lines() == "json\nyaml\nyml\n:8\n"
    assert answered(world, "--kubeconfig", "").lines() == ":0\n"


def test_namespaces_contexts_clusters_and_users(world: World, tmp_path: Path) -> None:
    assert values(world, "-n", world.namespace) == [world.namespace]
    config = {
        "contexts": [
            {"name": "b", "context": {"cluster": "west", "user": "u"}},
            {"name": "a", "context": {"cluster": "c\nd"}},
        ],
        "clusters": [{"name": "west", "cluster": {"server": "https://west.test"}}],
        "users": [{"name": "u", "user": {}}, {"name": "bad\nname", "user": {}}],
    }
    path = tmp_path / "several"
    path.write_text(json.dumps(config))
    environ = {"KUBECONFIG": str(path)}
    assert answer(["--context", ""], environ).lines() == "a\tcluster c d\nb\tcluster west\n:4\n"
    assert answer(["--cluster="], environ).lines() == "west\thttps://west.test\n:4\n"
    assert answer(["--user", ""], environ).lines() == "u\n:4\n"
    assert answer(["--kubeconfig", str(path), "--user", "u"], {}).lines() == "u\n:4\n"


def test_revisions_are_offered_the_latest_first(world: World) -> None:
    """With what they run and why, so that one can be chosen."""
    assert values(world, "other", "--rollback", "--to-revision=") == []
    assert world.run("other", "--image=nginx:1.9.1").status == 0
    offered = answered(world, "other", "--rollback", "--to-revision", "")
    assert offered.candidates == (
        ("0", "the revision before the current one"),
        ("2", "nginx:1.9.1: kubectl rolling-update other --image=nginx:1.9.1"),
        ("1", "nginx:1.7.9"),
    )
    assert offered.lines().endswith(":36\n")
    assert values(world, "rc/other", "--history", "--revision=1") == ["1"]
    assert values(world, "--to-revision", "") == []
    assert values(world, "missing", "--revision", "") == []


# --- as a process ---


def run(folder: Path, *words: str, **variables: str) -> Ended:
    variables = {"PATH": os.defpath, "HOME": str(folder), **variables}
    return command.run([*COMPLETE, *words], environment(**variables), folder)


def test_only_the_answer_is_printed(world: World, tmp_path: Path) -> None:
    ended = run(tmp_path, "--request-timeout=60", "my", KUBECONFIG=str(world.kubeconfig))
    answer = "my-nginx\t3 replicas, nginx:1.7.9, registry.test:5000/side:v1\n:4\n"
    assert (ended.status, ended.stdout, ended.stderr) == (0, answer, "")


def test_what_an_update_needs_is_not_loaded_for_an_answer(world: World, tmp_path: Path) -> None:
    """It would take most of the time there is; bench has the figures."""
    asks = (
        "import os, sys; from rollupdate.cli.completion import answer\n"
        "print(answer(['my'], os.environ).candidates); print(*sys.modules)"
    )
    variables = environment(PATH=os.defpath, HOME=str(tmp_path), KUBECONFIG=str(world.kubeconfig))
    ended = command.run([sys.executable, "-c", asks], variables, ROOT)
    answered, loaded = ended.stdout.splitlines()
    assert "my-nginx" in answered
    heavy = "rollupdate.engine.update", "rollupdate.core.plan", "rollupdate.core.phases", "typer", "rich"
    assert "rollupdate.cluster.api" in loaded.split()
    assert not [name for name in loaded.split() if name.startswith(heavy)]


def late(_request: Request) -> Json:
    """The list of controllers, after two seconds."""
    time.sleep(2)
    return listing(controller("late", replicas=2))


@pytest.mark.parametrize(
    ("limit", "said"),
    [("60", "late\t2 replicas\n:4\n"), ("1m", "late\t2 replicas\n:4\n"), ("1", ":4\n"), ("nonsense", ":4\n")],
)
def test_a_request_timeout_among_the_words_is_the_time_for_the_answer(
    limit: str, said: str, tmp_path: Path
) -> None:
    with serving(late) as server:
        ended = run(tmp_path, f"--server={server.url}", f"--request-timeout={limit}", "")
    assert (ended.status, ended.stdout, ended.stderr) == (0, said, "")


def test_a_server_that_does_not_answer_costs_two_seconds_at_most(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = f"http://127.0.0.1:{silent.getsockname()[1]}"
        ended = run(tmp_path, "--server", server, "")
    assert (ended.status, ended.stdout, ended.stderr) == (0, ":4\n", "")
    assert ended.seconds < 60  # two, and what a busy machine takes to start a program


def test_a_slow_and_talkative_credential_plugin_is_not_waited_for_and_not_heard(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    plugin.write_text("#!/bin/sh\necho 'Please log in' >&2\nexec sleep 300\n")
    plugin.chmod(0o755)
    user = {
        "exec": {
            "command": str(plugin),
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "IfAvailable",
        }
    }
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    ended = run(tmp_path, "", KUBECONFIG=str(tmp_path / "config"))
    assert (ended.status, ended.stdout, ended.stderr) == (0, ":4\n", "")
    assert ended.seconds < 60


def test_no_configuration_and_no_words_are_no_error(tmp_path: Path) -> None:
    for words in ([], [""], ["-"], ["--="], ["-=", ""], ["\udcff"]):
        ended = run(tmp_path, *words)
        assert (ended.status, ended.stderr) == (0, "")
        assert ended.stdout.endswith(":4\n")


def test_completion_shell_is_a_command_only_when_it_is_all_there_is(world: World) -> None:
    """A controller may be called "completion"."""
    for shell in ("bash", "zsh", "fish"):
        ended = world.run("completion", shell)
        assert (ended.status, ended.stdout, ended.stderr) == (0, script(shell), "")
    for words in (["completion"], ["completion", "tcsh"], ["completion", "bash", "-v1"]):
        ended = world.run(*words)
        assert ended.status == 1
        assert ended.stderr.startswith("error: Must specify --filename or --image for new controller")
    ended = world.run("completion", "bash", "--image=a:b")
    not_found = 'Error from server (NotFound): replicationcontrollers "completion" not found\n'
    assert ended.stderr.startswith(not_found)


def test_the_command_itself_answers_where_it_is_asked_to_complete(world: World) -> None:
    """As the helper does: it is what the script for a shell, and a link to the frozen program, ask."""
    ended = world.run("__complete", "--request-timeout=60", "o")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "other\t1 replica, nginx:1.7.9\n:4\n", "")
