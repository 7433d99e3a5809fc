"""What no linter of workflows knows: that each platform that is promised is one that is built."""

from __future__ import annotations

import yaml

from tests.packaging.conftest import ROOT

RUNNERS = {
    "ubuntu-22.04": "linux-amd64",
    "ubuntu-22.04-arm": "linux-arm64",
    "macos-15-intel": "darwin-amd64",
    "macos-15": "darwin-arm64",
    "windows-2022": "windows-amd64",
}


def test_each_platform_of_the_manifest_has_a_runner_that_builds_it() -> None:
    release = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())
    built = {RUNNERS[each] for each in release["jobs"]["archive"]["strategy"]["matrix"]["runner"]}
    manifest = yaml.safe_load((ROOT / "krew-manifest.yaml").read_text())
    labels = [each["selector"]["matchLabels"] for each in manifest["spec"]["platforms"]]
    assert built == {f"{each['os']}-{each['arch']}" for each in labels}
