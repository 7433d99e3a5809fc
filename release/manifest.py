"""What krew gets, from the checkout's ``krew-manifest.yaml``: ``dist/krew-manifest.yaml`` with the platforms
that were built and their sums, and ``.krew.yaml``, from which krew-release-bot makes the manifest in krew's
index.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import yaml

from release.archive import ROOT, archive_name
from rollupdate.version import __version__

SOURCE = ROOT / "krew-manifest.yaml"
RELEASES = "https://github.com/kubectl-rolling-update/kubectl-rolling-update/releases/download"


def target_of(platform: dict[str, Any]) -> str:
    """``linux-amd64``, from the selector of one platform of the manifest."""
    labels = platform["selector"]["matchLabels"]
    return f"{labels['os']}-{labels['arch']}"


def fill_in(dist: Path) -> Path:
    """Write the manifest for the archives that are in ``dist``; the others are left out of it."""
    manifest = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    spec = manifest["spec"]
    spec["version"] = f"v{__version__}"
    platforms = []
    for platform in spec["platforms"]:
        archive = dist / archive_name(target_of(platform))
        if archive.is_file():
            platform["uri"] = f"{RELEASES}/v{__version__}/{archive.name}"
            platform["sha256"] = hashlib.sha256(archive.read_bytes()).hexdigest()
            platforms.append(platform)
    spec["platforms"] = platforms
    target = dist / "krew-manifest.yaml"
    target.write_text(_Yaml.text(manifest), encoding="utf-8")
    return target


def write_template(folder: Path) -> Path:
    """``.krew.yaml`` in ``folder``."""
    target = folder / ".krew.yaml"
    target.write_text(template(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
    return target


def template(manifest: str) -> str:
    """The text of ``manifest`` with a placeholder for the version, and a call for each address and its sum.

    The result is a template of Go, and no YAML any more.
    """
    version = yaml.safe_load(manifest)["spec"]["version"]
    tagged = manifest.replace(version, "{{ .TagName }}")
    return _ADDRESS_AND_SUM.sub(r'\g<indent>{{addURIAndSha "\g<uri>" .TagName }}', tagged)


_ADDRESS_AND_SUM = re.compile(r'^(?P<indent> +)uri: (?P<uri>\S.*)\n +sha256: "0{64}"$', re.MULTILINE)


class _Yaml(yaml.SafeDumper):
    """Texts of several lines as such."""

    @classmethod
    def text(cls, document: Any) -> str:
        return yaml.dump(document, Dumper=cls, sort_keys=False, allow_unicode=True, width=100)

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Yaml.add_representer(str, _Yaml.represent_str)
