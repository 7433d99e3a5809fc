"""The recipe on machines that can't follow it: each says in one sentence what it lacks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from testing.controlplane import debian_build
from testing.controlplane.debian_build import Build, upstream_version
from testing.controlplane.unavailable import Unavailable

_REFLECT = "github.com/modern-go/reflect2"
_PACKAGED, _VENDORED = f"/usr/share/gocode/src/{_REFLECT}", f"/vendor/{_REFLECT}"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Debian whose apt is ours; gives the folder on PATH, for more programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    parts = tmp_path / "sources.list.d"
    parts.mkdir()
    (parts / "debian.sources").write_text("Types: deb\nURIs: http://a.example\nSuites: x\nComponents: main\n")
    program(programs, "apt-config", f"echo \"LIST='{tmp_path}/none'\"; echo \"PARTS='{parts}/'\"")
    program(programs, "apt-get", "touch kubernetes_1.20.5+really1.20.2.orig.tar.gz reflect2.deb")
    program(programs, "dpkg-deb", f'mkdir -p "$3{_PACKAGED}"; touch "$3{_PACKAGED}/newer.go"')
    program(programs, "tar", f'mkdir -p "$4{_VENDORED}"; touch "$4{_VENDORED}/older.go"')
    program(programs, "make", 'echo "cannot compile"; exit 2')
    version = tmp_path / "debian_version"
    version.touch()
    monkeypatch.setattr(debian_build, "_DEBIAN", version)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return programs


def program(folder: Path, name: str, script: str) -> None:
    """A shell script on PATH."""
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def build(tmp_path: Path) -> Path:
    """Run the recipe in a fresh folder."""
    folder = tmp_path / "build"
    folder.mkdir()
    return Build(folder, tmp_path / "log").run()


@pytest.mark.parametrize(
    ("tarball", "version"),
    [
        ("kubernetes_1.20.5+really1.20.2.orig.tar.gz", "1.20.2"),
        ("kubernetes_1.32.3+ds.orig.tar.xz", "1.32.3+ds"),
        ("kubernetes_1.17.4.orig.tar.gz", "1.17.4"),
    ],
)
def test_upstream_version(tarball: str, version: str) -> None:
    """Debian's way to take a step back is read."""
    assert upstream_version(tarball) == version


def test_another_system_than_debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is tried there."""
    monkeypatch.setattr(debian_build, "_DEBIAN", tmp_path / "none")
    with pytest.raises(Unavailable, match="needs Debian"):
        build(tmp_path)


def test_no_apt(tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Debian without apt, as some minimal images are."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Unavailable, match="needs apt-get"):
        build(tmp_path)


def test_a_full_disk(tmp_path: Path, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said before anything is fetched."""
    monkeypatch.setattr(debian_build, "_NEEDED_SPACE", 1 << 60)
    with pytest.raises(Unavailable, match=r"needs \d+ GiB free"):
        build(tmp_path)


def test_no_network(tmp_path: Path, machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The end of the log is shown, and where all of it is."""
    program(machine, "apt-get", 'echo "Temporary failure resolving"; exit 100')
    with pytest.raises(Unavailable, match=r"apt-get failed with status 100 \(log: "):
        build(tmp_path)
    assert "Temporary failure resolving" in capsys.readouterr().err


def test_another_release_of_debian(tmp_path: Path, machine: Path) -> None:
    """The recipe does not guess at versions it was not made for."""
    program(machine, "apt-get", "touch kubernetes_1.32.3+ds.orig.tar.xz")
    with pytest.raises(Unavailable, match=r"is 1\.32\.3\+ds; the recipe is for 1\.20\.x"):
        build(tmp_path)


def test_apt_is_given_private_folders_only(tmp_path: Path, machine: Path) -> None:
    """The system's lists, cache and source list are not touched, and its hooks don't run."""
    program(machine, "apt-get", "exit 1")
    with pytest.raises(Unavailable):
        build(tmp_path)
    conf = (tmp_path / "build" / "apt.conf").read_text()
    for option in ("Dir::Etc::sourceparts", "Dir::State::lists", "Dir::Cache"):
        assert f'{option} "{tmp_path}/build/apt/' in conf
    assert "#clear APT::Update::Post-Invoke;" in conf
    assert (tmp_path / "build/apt/sources/00-debian.sources").read_text().startswith("Types: deb deb-src\n")


def test_a_failing_compiler(tmp_path: Path, machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it said is shown; each finished step was told with its time."""
    with pytest.raises(Unavailable, match="make failed with status 2"):
        build(tmp_path)
    told = capsys.readouterr().err
    assert "cannot compile" in told
    assert "control plane: reading the package indexes: 0 s\n" in told


def test_the_library_that_crashes_at_custom_resources_is_replaced(tmp_path: Path, machine: Path) -> None:
    """All of it: what the newer one has dropped is gone."""
    with pytest.raises(Unavailable, match="make failed"):
        build(tmp_path)
    folder = tmp_path / f"build/gopath/src/k8s.io/kubernetes{_VENDORED}"
    assert [file.name for file in folder.iterdir()] == ["newer.go"]


def test_a_package_of_that_library_that_is_laid_out_otherwise(tmp_path: Path, machine: Path) -> None:
    """Said before minutes of compiling."""
    program(machine, "dpkg-deb", "true")
    with pytest.raises(Unavailable, match=f"has no {_REFLECT}"):
        build(tmp_path)
