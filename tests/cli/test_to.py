"""--to and names: what does not go together is refused in one line, before anything is asked."""

from __future__ import annotations

import pytest

from rollupdate.cli import pflag, usage
from rollupdate.errors import UsageError

BACK = "to move its pods to a ReplicationController: kubectl rolling-update {} --to=replicationcontroller"


def refused(*words: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        usage.check(pflag.read(words))
    return caught.value


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["deployment/", "--to=rc"], "Must specify the controller to update"),
        (["rc/", "--to=deployment"], "Must specify the controller to update"),
        (["rc/", "--image=a"], "Must specify the controller to update"),
        (["deployment/a/b", "--to=rc"], "deployment/a/b is not TYPE/NAME"),
        (["rc/a/b", "--to=deployment"], "rc/a/b is not TYPE/NAME"),
        (["/web", "--to=deployment"], "/web is not TYPE/NAME"),
        (["/", "--image=a"], "/ is not TYPE/NAME"),
        (["..", "--to=deployment"], "invalid resource name \"..\": [may not be '..']"),
        (["web", ".", "--to=deployment"], "invalid resource name \".\": [may not be '.']"),
        (["", "--to=deployment"], "Must specify the controller to update"),
        (["", "--image=a"], "Must specify the controller to update"),
        (["--to=deployment"], "Must specify the controller to update"),
        (["web", "", "--to=deployment"], "NEW_NAME can not be empty"),
        (["web", "a", "b", "--to=deployment"], "expected NAME and NEW_NAME, got 3: web a b"),
        (["statefulset/web", "--to=deployment"], "statefulset/web is not a ReplicationController"),
        (["deployment/web", "--to=deployment"], "deployment/web is a Deployment already"),
        (["web", "--to=rc"], "--to=rc takes the pods of a Deployment"),
        (
            ["web", "deployment/web2", "--to=deployment"],
            "NEW_NAME is a name alone, as --to says the type: web2",
        ),
        (["deployment/web", "--to=rc", "--max-surge=1"], "--max-surge goes with --to=deployment"),
        (["deployment/web", "--to=rc", "--keep-old"], "--keep-old goes with --to=deployment"),
        (
            ["web", "--to=deployment", "--max-surge=0%", "--max-unavailable=0"],
            "--max-surge and --max-unavailable can not both be 0: the Deployment could not roll",
        ),
        (
            ["web", "--to=deployment", "--max-unavailable=101%"],
            "--max-unavailable of a Deployment can not be more than 100%",
        ),
        (["web", "--image=a", "--keep-old"], "--keep-old goes with --to=deployment"),
        (["dc/web", "--to=dc"], "--to=dc takes the pods of a Deployment"),
        (["dc/web", "--to=rc"], "--to=rc takes the pods of a Deployment"),
        (["web", "--to=dc"], "--to=dc takes the pods of a Deployment"),
        (["dc/web", "--image=a"], "dc/web is not a ReplicationController"),
        (
            ["deploymentconfig.apps.openshift.io/web"],
            "deploymentconfig.apps.openshift.io/web is not a ReplicationController",
        ),
        (
            ["deployment/web", "next", "--to=dc"],
            "NEW_NAME and --to=deploymentconfig can not both be specified",
        ),
        (["deployment/web", "--to=dc", "--keep-old"], "--keep-old goes with --to=deployment"),
    ],
)
def test_names_and_flags_that_do_not_fit(words: list[str], says: str) -> None:
    assert refused(*words).message == says


@pytest.mark.parametrize("value", ["", "x", "Deployment", "statefulset"])
def test_a_type_that_there_is_no_way_to(value: str) -> None:
    said = refused("web", f"--to={value}").message
    assert said.endswith("must be deployment, deploy, replicationcontroller, rc, deploymentconfig or dc")


@pytest.mark.parametrize(
    ("flag", "first"),
    [
        ("--status", "status"),
        ("--history", "history"),
        ("--image=a", "to"),
        ("--filename=f", "to"),
        ("--set-env=A=1", "to"),
        ("--pause-at=1", "to"),
        ("--verify=true", "to"),
        ("--supersede", "to"),
        ("--timeline=x.svg", "to"),
        ("--update-period=1s", "to"),
        ("--on-failure=wait", "to"),
        ("--failure-grace=1s", "to"),
        ("--keep-name", "to"),
        ("--poll-interval=1s", "to"),
        ("--validate=false", "to"),
    ],
)
def test_what_a_migration_does_not_do(flag: str, first: str) -> None:
    error = refused("web", "--to=deployment", flag)
    other = "to" if first != "to" else flag.lstrip("-").partition("=")[0]
    assert error.message == f"--{first} and --{other} can not both be specified"
    changes = other in ("image", "filename", "set-env")
    assert ("move first, then change the Deployment" in (error.hint or "")) is changes


def test_a_revision_is_of_an_update() -> None:
    error = refused("web", "--to=deployment", "--rollback", "--to-revision=1")
    assert error.message == "--to and --to-revision can not both be specified"


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ([], "set image deploy/web CONTAINER=IMAGE"),
        (["--image=a", "-n", "shop"], "set image deploy/web CONTAINER=a -n shop"),
        (["--image=web=a"], "set image deploy/web web=a"),
        (["--restart"], "rollout restart deploy/web"),
        (["--set-env=A=1"], "set env deploy/web A=1"),
        (["--set-env=A=1", "--container=w"], "set env deploy/web --containers=w A=1"),
        (["--patch={}"], "edit deploy/web"),
        (["--status"], "rollout status deploy/web"),
        (["--rollback"], "rollout undo deploy/web"),
        (["--rollback", "--to-revision=2"], "rollout undo deploy/web --to-revision=2"),
        (["--history"], "rollout history deploy/web"),
        (["-f", "web.yaml"], "apply -f web.yaml"),
    ],
)
def test_a_deployment_alone_is_told_of_the_way_back(words: list[str], instead: str) -> None:
    error = refused("deploy/web", *words)
    assert error.message == "deploy/web is not a ReplicationController"
    assert (error.hint or "").splitlines() == [
        f"for a Deployment and the like: kubectl {instead}",
        BACK.format("deploy/web") + (" -n shop" if "-n" in words else ""),
    ]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (
            ["web", "--to=deployment", "--image=a"],
            "the Deployment: kubectl set image deployment/web CONTAINER=a",
        ),
        (["rc/web", "--to=deploy", "--image=w=a"], "the Deployment: kubectl set image deployment/web w=a"),
        (["web", "next", "--to=deployment", "--restart"], "kubectl rollout restart deployment/next"),
        (["web", "--to=deployment", "-f", "a.yaml"], "the Deployment: kubectl apply -f a.yaml"),
        (
            ["web", "--to=deployment", "--set-env=A=1 2", "--set-env=B-", "-n", "shop"],
            "the Deployment: kubectl set env deployment/web 'A=1 2' B- -n shop",
        ),
        (["web", "--to=deployment", "--patch={}"], "the Deployment: kubectl edit deployment/web"),
        (["web", "--to=deployment", "--patch-file=f"], "the Deployment: kubectl edit deployment/web"),
        (["deploy/web", "--to=dc", "--set-env=A=1"], "the DeploymentConfig: oc set env dc/web A=1"),
        (["deploy/web", "--to=dc", "--patch={}"], "the DeploymentConfig: oc edit dc/web"),
        (["deploy/web", "--to=dc", "--restart"], "the DeploymentConfig: oc rollout latest dc/web"),
        (["deploy/web", "--to=dc", "-f", "a.yaml"], "the DeploymentConfig: oc edit dc/web"),
        (["deploy/web", "--to=dc", "--image=w=a"], "the DeploymentConfig: oc set image dc/web w=a"),
        (["deploy/web", "--to=rc", "--image=a"], "then update it: kubectl rolling-update web --image=a"),
        (["--to=rc", "--image=a"], "move first, then change the pods"),
    ],
)
def test_a_change_comes_after_the_move(words: list[str], hint: str) -> None:
    """The hint is the command for it."""
    assert (refused(*words).hint or "").endswith(hint)


@pytest.mark.parametrize("words", [["web"], ["deployment", "web"]], ids=" ".join)
def test_a_name_that_must_be_that_of_a_deployment(words: list[str]) -> None:
    assert refused(*words, "--to=rc").hint == "name it as deployment/web"


@pytest.mark.parametrize(
    "words",
    [
        ["web", "--to=deployment", "--keep-old", "--max-surge=2", "--rollback"],
        ["rc/web", "next", "--to=deploy", "--diff", "--confirm", "--dry-run=server", "-o", "name"],
        ["Deployments.apps/web", "web", "--to=rc", "--timeout=0"],
        ["dc/web", "next", "--to=deployment", "--keep-old=false", "--max-surge=2", "--rollback"],
        ["DeploymentConfigs.apps.openshift.io/web", "--to=deploy", "--dry-run", "-o", "yaml"],
        ["deployment/web", "--to=dc", "--diff"],
        ["web", "--to=deployment", "--max-unavailable=100%", "--max-surge=200%"],
        ["dc/web", "--status", "--watch"],
    ],
    ids=" ".join,
)
def test_what_goes_together(words: list[str]) -> None:
    usage.check(pflag.read(words))
