"""Every command in README and docs runs, in order, on the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import command
from tests.docs.blocks import PAGES, ROOT, kinds, script
from tests.docs.printed import fits
from tests.e2e.world import World, opened
from tests.support.manifests import my_nginx

TRANSLATION = ROOT / "README.zh-CN.md"
"""It has the commands of README.md: ``test_translation`` compares them."""
RUN = [pytest.param(page, marks=pytest.mark.typed) for page in PAGES if script(page) and page != TRANSLATION]
PRELUDE = """\
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
have() {
  kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: ReplicationController
metadata: {name: $1}
spec:
  replicas: 3
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "$2"}]
END
  kubectl wait "rc/$1" --for=jsonpath='{.status.availableReplicas}'=3 --timeout=30s >/dev/null
}
have_config() {  # a DeploymentConfig that was rolled out with each of the images
  kubectl create -f - >/dev/null <<END
apiVersion: apps.openshift.io/v1
kind: DeploymentConfig
metadata: {name: $1}
spec:
  replicas: 3
  selector: {app: $1}
  template:
    metadata: {labels: {app: $1}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "$2"}]
END
  rolled_out "$1" 1
  for image in "${@:3}"; do
    patch='[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"'$image'"}]'
    kubectl patch dc "$1" --type=json -p "$patch" >/dev/null
    rolled_out "$1" $((++version))
  done
}
rolled_out() {
  version=$2
  until kubectl wait "rc/$1-$2" --for=jsonpath='{.status.availableReplicas}'=3 --timeout=1s >/dev/null 2>&1
  do sleep 0.1; done
  phase='jsonpath={.metadata.annotations.openshift\\.io/deployment\\.phase}'
  until [ "$(kubectl get "rc/$1-$2" -o "$phase")" = Complete ]
  do sleep 0.1; done
  until [ "$(kubectl get pods -l "app=$1" -o name | wc -l)" = 3 ]; do sleep 0.1; done
}
interrupted() {  # an update that was stopped in the middle
  : >begun  # an update before may have written to it
  kubectl rolling-update "$@" --update-period=1h >begun &
  until grep -q "^Scaling .* up to" begun; do kill -0 $!; sleep 0.1; done
  kill -TERM $!
  wait $! || true
}
empty() { kubectl delete rc --all >/dev/null; }
prints() { .venv/bin/python -m tests.docs.printed printed; }  # compares it with standard input
"""


@pytest.fixture
def world(request: pytest.FixtureRequest, page: Path, tmp_path: Path, kubectl: str) -> Iterator[World]:
    """A namespace, and the files that the pages speak of; on an OpenShift for what only that has."""
    kubeconfig: Path = request.getfixturevalue("sandbox_kubeconfig")
    if "have_config " in script(page):
        kubeconfig = request.getfixturevalue("openshift_sandbox").kubeconfig
    second = my_nginx("frontend-v2", image="image:v2", labels={"app": "frontend-v2"})
    (tmp_path / "frontend-v2.json").write_text(json.dumps(second))
    same = my_nginx("frontend", image="image:v2", labels={"app": "frontend"})
    (tmp_path / "frontend.yaml").write_text(json.dumps(same))
    (tmp_path / "smoke-test").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "smoke-test").chmod(0o755)
    command.put(tmp_path, "kubectl-rolling_update", "kubectl_complete-rolling_update")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "kubectl").symlink_to(kubectl)
    with opened(kubeconfig, "docs", tmp_path) as world:
        yield world


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    for kind in kinds(page):
        assert kind in ("sh", "console", "text", "yaml", "json") or kind.startswith("sh not-run: "), kind


def test_what_a_page_may_show_of_an_output() -> None:
    """Hashes and times differ from run to run, and "..." stands for lines that are left out."""
    printed = "Created web-0123456789abcdef0123456789abcdef\nScaling web down to 2\nDone\n"
    assert fits(printed, "Created web-fedcba9876543210fedcba9876543210\nScaling web down to 2\nDone\n")
    assert fits(printed, "...\nDone\n")
    assert fits(f"Evicted web-{'0' * 32}-x2b4z of web\n", f"Evicted web-{'f' * 32}-q7w9k of web\n")
    assert fits("Begun: 3s ago by a@b\n", "Begun: 12s ago by alice@laptop\n")
    assert not fits(printed, "Scaling web down to 2\nDone\n")
    assert not fits(printed, "...\nScaling web down to 3\nDone\n")


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, world: World, tmp_path: Path) -> None:
    variables = command.environment(
        PATH=os.pathsep.join([str(tmp_path), "/usr/local/bin", "/usr/bin", "/bin"]),
        HOME=str(tmp_path),
        KUBECONFIG=str(world.kubeconfig),
        PYTHONPATH=str(ROOT),
    )
    words = ["bash", "-c", f"{PRELUDE}\nexec 9>&2; BASH_XTRACEFD=9\nset -x\n{script(page)}"]
    ended = command.run(words, variables, tmp_path, stderr=subprocess.STDOUT)
    assert ended.status == 0, ended.stdout[-5000:]
