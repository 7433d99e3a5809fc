"""The krew manifest and the archive, by krew's own rules, and an update run from where krew puts it."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from release import archive as packing
from release.manifest import write_template
from rollupdate.version import __version__
from tests.e2e.world import World
from tests.packaging import krew
from tests.packaging.conftest import ROOT, Built, make_archive
from tests.support.manifests import my_nginx

pytestmark = [pytest.mark.built, pytest.mark.xdist_group("archive")]  # built once

MANIFEST = yaml.safe_load((ROOT / "krew-manifest.yaml").read_text())


def test_the_manifest_is_valid_by_krews_rules_and_has_all_five_platforms() -> None:
    krew.check_manifest("rolling-update", MANIFEST)
    assert MANIFEST["spec"]["version"] == f"v{__version__}"
    targets = []
    for platform in MANIFEST["spec"]["platforms"]:
        labels = platform["selector"]["matchLabels"]
        targets.append(f"{labels['os']}-{labels['arch']}")
        assert platform["uri"].endswith(f"/v{__version__}/{packing.archive_name(targets[-1])}")
        assert platform["bin"] == "kubectl-rolling_update" + (".exe" if labels["os"] == "windows" else "")
    assert targets == ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64", "windows-amd64"]


def test_the_template_for_the_index_says_the_same_as_the_manifest(tmp_path: Path) -> None:
    """Once krew-release-bot has put in the tag, the addresses and the sums."""
    written = write_template(tmp_path)
    assert written.name == ".krew.yaml"
    template = written.read_text()
    assert f"v{__version__}" not in template
    template = template.replace("{{ .TagName }}", f"v{__version__}")
    for platform in MANIFEST["spec"]["platforms"]:
        call = f'{{{{addURIAndSha "{platform["uri"]}" "v{__version__}" }}}}'
        called = call.replace(f'"v{__version__}" ', ".TagName ")
        assert called in template
        template = template.replace(called, f'uri: {platform["uri"]}\n    sha256: "{"0" * 64}"')
    assert yaml.safe_load(template) == MANIFEST


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("apiVersion",), "krew.googlecontainertools.github.com/v1alpha1"),
        (("spec", "version"), "0.1.0"),
        (("spec", "shortDescription"), "a" * 61),
        (("spec", "shortDescription"), "two\nlines"),
        (("spec", "platforms"), []),
        (("spec", "platforms", 0, "sha256"), "A" * 64),
        (("spec", "platforms", 0, "selector"), {"matchLabels": {"os": "linux"}}),
        (("spec", "platforms", 0, "selector"), {"matchLabels": {"os": "plan9"}}),
        (("spec", "platforms", 0, "selector"), {}),
        (("spec", "platforms", 0, "files"), []),
        (("spec", "platforms", 0, "files", 0, "to"), "./"),
    ],
)
def test_the_checker_refuses_what_krew_refuses(path: tuple[str | int, ...], value: object) -> None:
    manifest = json.loads(json.dumps(MANIFEST))
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(AssertionError):
        krew.check_manifest("rolling-update", manifest)


def test_links_and_names_that_lead_elsewhere_are_refused_in_an_archive(tmp_path: Path) -> None:
    for name, kind in (("a", tarfile.SYMTYPE), ("a", tarfile.LNKTYPE), ("../a", tarfile.REGTYPE)):
        path = tmp_path / "a.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "b"
            tar.addfile(entry)
        with pytest.raises(AssertionError):
            krew.extract(path.read_bytes(), tmp_path)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.zip"])
def test_both_kinds_of_archive_unpack_to_what_was_packed_a_link_to_what_it_leads_to(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "program").write_text("#!/bin/sh\n")
    (folder / "inner" / "program").chmod(0o700)
    (folder / "link").symlink_to("inner/program")
    (folder / "inner again").symlink_to("inner")
    packing.pack(folder, tmp_path / name)
    first = (tmp_path / name).read_bytes()
    packing.pack(folder, tmp_path / name)
    assert (tmp_path / name).read_bytes() == first
    (tmp_path / "unpacked").mkdir()
    krew.extract(first, tmp_path / "unpacked")
    for path in ("link", "inner/program", "inner again/program"):
        unpacked = tmp_path / "unpacked" / path
        assert not unpacked.is_symlink()
        assert (unpacked.read_text(), unpacked.stat().st_mode & 0o777) == ("#!/bin/sh\n", 0o755)


def test_the_archive_holds_licence_and_readme_and_nothing_of_the_tools_of_development(built: Built) -> None:
    with tarfile.open(built.archive) as tar:
        entries = {entry.name: entry for entry in tar}
        content = tar.extractfile("THIRD-PARTY-LICENSES")
        assert content is not None
        licences = content.read().decode()
    assert {
        "LICENSE",
        "README.md",
        "man/kubectl-rolling_update.1",
        "kubectl-rolling_update",
        "_internal",
    } <= set(entries)
    assert {entry.mtime for entry in entries.values()} == {packing.DATE}
    assert {(entry.uid, entry.uname, entry.gid, entry.gname) for entry in entries.values()} == {
        (0, "", 0, "")
    }
    brought = {line.split()[1] for line in licences.splitlines() if line.startswith("==== ")}
    assert {"kubernetes", "typer", "PyYAML", "jsonpatch", "urllib3", "Python"} <= brought
    assert not brought & {"pytest", "hypothesis", "mypy", "cryptography", "pyte", "setuptools", "pyinstaller"}
    assert built.archive.stat().st_size < 20 * 2**20


def test_the_same_input_gives_the_same_archive_wherever_it_is_built(built: Built, tmp_path: Path) -> None:
    checkout = tmp_path / "another checkout"
    for name in ("rollupdate", "release", "man"):
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("LICENSE", "README.md", "krew-manifest.yaml"):
        shutil.copy(ROOT / name, checkout)
    again = make_archive(checkout, checkout / "dist")
    assert _entries(again.archive) == _entries(built.archive)
    assert again.archive.read_bytes() == built.archive.read_bytes()
    assert again.manifest == built.manifest


def _entries(path: Path) -> dict[str, int]:
    """Which file it is that differs, where one does."""
    with gzip.open(path) as file, tarfile.open(fileobj=file) as tar:
        return {
            entry.name: hash(content.read()) if (content := tar.extractfile(entry)) else 0 for entry in tar
        }


def test_an_update_runs_from_where_krew_puts_it_without_environment_and_without_python(
    installed: Path, world: World, kubectl_alone: Path
) -> None:
    world.have(my_nginx())
    ran = subprocess.run(
        [
            *(str(kubectl_alone / "kubectl"), "rolling-update", "my-nginx", "--image=nginx:1.9.1"),
            *("--kubeconfig", str(world.kubeconfig)),
        ],
        env={"PATH": f"{kubectl_alone}{os.pathsep}{installed}"},
        cwd=world.kubeconfig.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith('\nreplicationcontroller "my-nginx" rolling updated\n')
    images = {pod["spec"]["containers"][0]["image"] for pod in world.api.pods()}
    assert images == {"nginx:1.9.1"}


def test_every_way_to_give_a_controller_works_in_the_frozen_program(installed: Path, world: World) -> None:
    """YAML, standard input, -o and the dry run import what a plain image update does not."""
    world.have(my_nginx(labels={"deployment": "first"}))
    manifest = yaml.safe_dump(my_nginx(name="next", image="nginx:1.9.1", labels={"deployment": "next"}))
    program = [str(installed / "kubectl-rolling_update")]
    planned = world.run("my-nginx", "-f", "-", "--dry-run", stdin=manifest, command=program)
    assert (planned.status, planned.stderr) == (0, "")
    ended = world.run("my-nginx", "-f", "-", "-o", "yaml", stdin=manifest, command=program)
    assert ended.status == 0, ended.stderr
    assert yaml.safe_load(ended.stdout)["metadata"]["name"] == "next"


def test_a_credential_plugin_of_the_frozen_program_gets_the_users_environment(
    installed: Path, tmp_path: Path
) -> None:
    """The bundler's library path would have other programs load its libraries, and fail."""
    plugin = tmp_path / "plugin"
    told = tmp_path / "told"
    answer = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "t"},
    }
    plugin.write_text(f"#!/bin/sh\n/usr/bin/env > '{told}'\necho '{json.dumps(answer)}'\n")
    plugin.chmod(0o755)
    user = {
        "exec": {
            "command": str(plugin),
            "apiVersion": "client.authentication.k8s.io/v1",
            "interactiveMode": "Never",
        }
    }
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": user}],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    for mine in ({}, {"LD_LIBRARY_PATH": str(tmp_path)}):
        given = {"KUBECONFIG": str(tmp_path / "config"), "PATH": "/usr/bin:/bin", "KEPT": "yes", **mine}
        subprocess.run(
            [str(installed / "kubectl-rolling_update"), "x", "--image=a:b", "--request-timeout=1"],
            env=given,
            capture_output=True,
            timeout=300,
            check=False,
        )
        lines = dict(line.split("=", 1) for line in told.read_text().splitlines())
        for name in ("KUBERNETES_EXEC_INFO", "PWD", "_", "SHLVL", "OLDPWD"):
            lines.pop(name, None)
        assert lines == given
        told.unlink()


def test_a_link_of_the_other_name_to_the_frozen_program_answers_kubectls_completion(
    installed: Path, world: World, kubectl_alone: Path
) -> None:
    """krew puts one program on PATH; its caveats say to make this link, and the shells make as much."""
    world.have(my_nginx())
    (kubectl_alone / "kubectl_complete-rolling_update").symlink_to(installed / "kubectl-rolling_update")
    path = f"{kubectl_alone}{os.pathsep}{installed}"
    environment = {"PATH": path, "KUBECONFIG": str(world.kubeconfig)}
    for command in (
        [str(kubectl_alone / "kubectl"), "__complete", "rolling-update", "--request-timeout=60", "my"],
        [str(installed / "kubectl-rolling_update"), "__complete", "--request-timeout=60", "my"],
    ):
        ran = subprocess.run(
            command, env=environment, cwd=kubectl_alone, capture_output=True, text=True, check=False
        )
        assert ran.stdout == "my-nginx\t3 replicas, nginx:1.7.9\n:4\n"
