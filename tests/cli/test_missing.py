"""A name of which there is no ReplicationController: what else has it, and where it was looked for."""

from __future__ import annotations

import pytest

from rollupdate.cli.pflag import read
from rollupdate.commands.missing import explain
from rollupdate.core.plan.refusals import not_found
from rollupdate.errors import ApiError
from rollupdate.objects import Json

FORBIDDEN = ApiError(403, "Forbidden", "cannot get")
DEPLOYMENT: Json = {"spec": {"template": {"spec": {"containers": [{"name": "app"}]}}}}


class Looking:
    """A namespace with one workload, or one where nothing may be looked at."""

    namespace = "shop"

    def __init__(self, resource: str = "", space: Json | None = None, *, may: bool = True) -> None:
        self._resource, self._space, self._may = resource, space, may

    def find_workload(self, resource: str, name: str) -> Json | None:
        if not self._may:
            raise FORBIDDEN
        return DEPLOYMENT if (resource, name) == (self._resource, "web") else None

    def find_namespace(self) -> Json | None:
        if not self._may:
            raise FORBIDDEN
        return self._space


def said(words: str, cluster: Looking) -> str | None:
    given = read(words.split())
    error = not_found(given.controller)
    explain(error, given, cluster)
    return error.hint


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("web --image=app:2", "kubectl set image deployment/web app=app:2"),
        ("web --image side=app:2 -n shop", "kubectl set image deployment/web side=app:2 -n shop"),
        ("web --rollback", "kubectl rollout undo deployment/web"),
        ("web --rollback --to-revision=3", "kubectl rollout undo deployment/web --to-revision=3"),
        ("web --restart", "kubectl rollout restart deployment/web"),
        ("web --status", "kubectl rollout status deployment/web"),
        ("web --history", "kubectl rollout history deployment/web"),
        ("web -f web.yaml", "kubectl apply -f web.yaml"),
        ("web --set-env A=b", "kubectl set env deployment/web A=b"),
    ],
)
def test_a_deployment_has_the_name(words: str, command: str) -> None:
    """With kubectl's command for the same, and the connection flags that were given."""
    assert said(words, Looking("deployments")) == f"deployment.apps/web is there: {command}"


def test_other_kinds() -> None:
    """Whatever kubectl can roll out."""
    for resource, kind in (("statefulsets", "statefulset"), ("daemonsets", "daemonset")):
        assert said("web --restart", Looking(resource)) == (
            f"{kind}.apps/web is there: kubectl rollout restart {kind}/web"
        )


def test_where_it_was_looked_for() -> None:
    """The namespace, and what may be known of it."""
    looked = 'it was looked for in namespace "shop"; what there is: kubectl get rc -n shop'
    assert said("web --status -n shop", Looking(space={"metadata": {}})) == looked
    assert said("web --status -n shop", Looking(may=False)) == looked
    assert said("web --status", Looking(space=None)) == 'namespace "shop" does not exist'
    going: Json = {"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}
    assert said("web --status", Looking(space=going)) == 'namespace "shop" is being deleted'


def test_a_look_that_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """Said at -v=2."""
    said("web --status -v=2", Looking(may=False))
    assert "Not looked at: deployments: " in capsys.readouterr().err


def test_a_type_before_the_name() -> None:
    """As in other commands of kubectl."""
    assert said("rc web --image=a", Looking()) == "if this is TYPE and NAME, write rc/web or web"
    assert said("deploy web --image=a", Looking()) == (
        "if this is TYPE and NAME: kubectl set image deploy/web CONTAINER=a"
    )
