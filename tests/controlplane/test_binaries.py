"""Where the programs are looked for, in which order, and what a failed or interrupted build leaves behind."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from testing.controlplane import binaries
from testing.controlplane.acquire import acquire
from testing.controlplane.debian_build import Build
from testing.controlplane.unavailable import Unavailable

NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")


def install(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Programs that only tell a version."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\necho Kubernetes v1.20.2\n")
        (folder / name).chmod(0o755)
    return folder


def test_kubebuilder_assets_come_before_path_and_path_before_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is taken away in turn."""
    install(binaries.cache_folder())
    assets, path = install(tmp_path / "assets"), install(tmp_path / "path")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    monkeypatch.setenv("PATH", str(path))
    found = binaries.find()
    assert found is not None and found.folder == assets
    monkeypatch.delenv("KUBEBUILDER_ASSETS")
    found = binaries.find()
    assert found is not None and found.folder == path
    monkeypatch.setenv("PATH", "")
    found = binaries.find()
    assert found is not None and found.folder == binaries.cache_folder()
    assert found.folder.parent == cache


def test_assets_without_a_controller_manager_are_mentioned_and_passed_over(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Kubebuilder's own archives have etcd and the API server only."""
    install(binaries.cache_folder())
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(install(tmp_path / "assets", NAMES[:2])))
    assert binaries.obtain().folder == binaries.cache_folder()
    assert "lacks kube-controller-manager; looking further" in capsys.readouterr().err


def test_a_cache_that_is_not_complete_is_not_used(cache: Path) -> None:
    """A missing program, or one that can't be executed."""
    folder = install(binaries.cache_folder())
    (folder / "etcd").chmod(0o644)
    assert binaries.find() is None
    (folder / "etcd").unlink()
    assert binaries.find() is None


def test_a_relative_cache_home_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG specification wants it."""
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert binaries.cache_root() == Path("/home/somebody/.cache/rollupdate")


def test_without_programs_the_reason_says_where_was_looked(cache: Path) -> None:
    """A test run never builds; it says what would."""
    with pytest.raises(
        Unavailable, match=r"neither in KUBEBUILDER_ASSETS nor on PATH .* \(make control-plane"
    ):
        acquire()


def test_a_build_is_kept_and_its_folder_removed(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time nothing is built and nothing said."""
    monkeypatch.setattr(Build, "run", lambda self: install(self._folder / "result"))
    assert binaries.obtain().folder == binaries.cache_folder()
    assert "Kubernetes 1.20.2 built in" in capsys.readouterr().err
    assert not list(cache.glob("build-*"))
    monkeypatch.setattr(Build, "run", lambda self: pytest.fail("built again"))
    binaries.obtain()
    assert capsys.readouterr().err == ""


def test_a_failed_build_leaves_its_reason_and_no_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests that are skipped later repeat the reason; a build that succeeds removes it."""

    def fail(self: Build) -> Path:
        install(self._folder / "result", NAMES[:2])
        raise Unavailable("make failed with status 2")

    monkeypatch.setattr(Build, "run", fail)
    with pytest.raises(Unavailable, match="make failed with status 2"):
        binaries.obtain()
    assert not binaries.cache_folder().exists()
    assert not list(cache.glob("build-*"))
    with pytest.raises(Unavailable, match="the last build of it failed: make failed with status 2"):
        acquire()
    monkeypatch.setattr(Build, "run", lambda self: install(self._folder / "result"))
    binaries.obtain()
    assert not binaries.failure_file().exists()


def test_an_interrupted_build_poisons_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C removes the folder; that of a run killed harder is removed by the next."""
    (cache / "build-killed").mkdir(parents=True)

    def interrupt(self: Build) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Build, "run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        binaries.obtain()
    assert not list(cache.glob("build-*"))
    assert binaries.find() is None


def test_two_runs_at_once_build_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second waits for the first and takes its result."""
    builds: list[Path] = []

    def build(self: Build) -> Path:
        builds.append(self._folder)
        time.sleep(0.2)
        return install(self._folder / "result")

    monkeypatch.setattr(Build, "run", build)
    threads = [threading.Thread(target=binaries.obtain) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_a_build_that_gives_too_little_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Better no cache than one that fails later."""
    monkeypatch.setattr(Build, "run", lambda self: install(self._folder / "result", NAMES[:1]))
    with pytest.raises(Unavailable, match="the build gave no"):
        binaries.obtain()
    assert binaries.find() is None


def test_a_cache_that_cannot_be_written_is_a_reason(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a traceback."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(Unavailable, match="no cache folder"):
        binaries.obtain()
