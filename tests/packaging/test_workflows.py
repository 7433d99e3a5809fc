"""The workflows and the forms beside them, as far as can be told without running them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.packaging.conftest import ROOT
from tests.support import needs

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = {
    "dependabot.yml": "vendor.dependabot",
    "ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    "ISSUE_TEMPLATE/bug_report.yml": "vendor.github-issue-forms",
    "ISSUE_TEMPLATE/feature_request.yml": "vendor.github-issue-forms",
}
SCHEMAS = dict.fromkeys(WORKFLOWS, "vendor.github-workflows") | {
    ROOT / ".github" / name: schema for name, schema in FORMS.items()
}
RUNNERS = {
    "ubuntu-22.04": "linux-amd64",
    "ubuntu-22.04-arm": "linux-arm64",
    "macos-15-intel": "darwin-amd64",
    "macos-15": "darwin-arm64",
    "windows-2022": "windows-amd64",
}


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda path: path.name)
def test_a_file_for_github_is_what_the_published_schema_asks_for(path: Path) -> None:
    needs.module("check_jsonschema")
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[path], str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_an_end_and_no_more_rights_than_it_says(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"] <= 45


def test_each_platform_of_the_manifest_has_a_runner_that_builds_it() -> None:
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    built = {RUNNERS[each] for each in release["jobs"]["archive"]["strategy"]["matrix"]["runner"]}
    manifest = yaml.safe_load((ROOT / "krew-manifest.yaml").read_text())
    labels = [each["selector"]["matchLabels"] for each in manifest["spec"]["platforms"]]
    assert built == {f"{each['os']}-{each['arch']}" for each in labels}
