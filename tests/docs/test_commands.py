"""Every command in README and docs runs, in order, on the sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing import command
from tests.docs.blocks import PAGES, ROOT, kinds, script
from tests.e2e.world import World, opened
from tests.support.manifests import my_nginx

TRANSLATIONS = [page for page in PAGES if page.name.startswith("README.") and page.name != "README.md"]
RUN = [page for page in PAGES if script(page) and page not in TRANSLATIONS]
PRELUDE = """\
set -euo pipefail
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT
have() {
  kubectl create -f - <<END
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
  kubectl wait "rc/$1" --for=jsonpath='{.status.availableReplicas}'=3 --timeout=30s
}
interrupted() {  # an update that somebody has left in the middle
  : >begun  # the one before has said so, too
  kubectl rolling-update "$@" --update-period=1h >begun &
  until grep -q "^Scaling .* up to" begun; do kill -0 $!; sleep 0.1; done
  kill -TERM $!
  wait $! || true
}
empty() { kubectl delete rc --all >/dev/null; }
"""


@pytest.fixture
def world(sandbox_kubeconfig: Path, tmp_path: Path, kubectl: str) -> Iterator[World]:
    """A namespace, and the files that the pages speak of."""
    second = my_nginx("frontend-v2", image="image:v2", labels={"app": "frontend-v2"})
    (tmp_path / "frontend-v2.json").write_text(json.dumps(second))
    same = my_nginx("frontend", image="image:v2", labels={"app": "frontend"})
    (tmp_path / "frontend.yaml").write_text(json.dumps(same))
    command.put(tmp_path, "kubectl-rolling_update", "kubectl_complete-rolling_update")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "kubectl").symlink_to(kubectl)
    with opened(sandbox_kubeconfig, "docs", tmp_path) as world:
        yield world


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    for kind in kinds(page):
        assert kind in ("sh", "text", "yaml", "json") or kind.startswith("sh not-run: "), kind


def test_a_translation_has_the_commands_of_its_original() -> None:
    """What runs of README.md runs of README.zh-CN.md: the same lines but for comments, in the same order."""

    def commands(page: Path) -> list[str]:
        return [line for line in script(page).splitlines() if not line.startswith("#")]

    for page in TRANSLATIONS:
        assert commands(page) == commands(page.with_name("README.md")), page.name


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_the_commands_of_a_page_run(page: Path, world: World, tmp_path: Path) -> None:
    variables = command.environment(
        PATH=os.pathsep.join([str(tmp_path), "/usr/local/bin", "/usr/bin", "/bin"]),
        HOME=str(tmp_path),
        KUBECONFIG=str(world.kubeconfig),
        PYTHONPATH=str(ROOT),
    )
    words = ["bash", "-c", f"{PRELUDE}\nset -x\n{script(page)}"]
    ended = command.run(words, variables, tmp_path, stderr=subprocess.STDOUT)
    assert ended.status == 0, ended.stdout[-5000:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_what_there_is(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if path.startswith(("https:", "http:")):
            continue
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            anchors = [re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings]
            assert anchor in anchors, target
