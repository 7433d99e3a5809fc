"""Finds etcd, kube-apiserver and kube-controller-manager, or has them built once and kept.

Order: ``KUBEBUILDER_ASSETS``; ``PATH``; the cache of an earlier build under
``${XDG_CACHE_HOME:-~/.cache}/rollupdate``; a build from Debian's packages into that cache. How it is built
is in :mod:`testing.controlplane.debian_build`.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from testing.controlplane.debian_build import Build, say
from testing.controlplane.processes import tail
from testing.controlplane.servers import Binaries, version_of
from testing.controlplane.unavailable import Unavailable

RECIPE = 2
"""Raise when the build changes in a way that makes what is cached unfit."""
_NAMES = ("etcd", "kube-apiserver", "kube-controller-manager")


def cache_root() -> Path:
    """The folder all of this lives in; it need not exist."""
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification has relative paths ignored.
    folder = Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache"
    return folder / "rollupdate"


def cache_folder() -> Path:
    """Where a build of the present recipe for this kind of machine is kept."""
    return cache_root() / f"control-plane-r{RECIPE}-{platform.machine()}"


def failure_file() -> Path:
    """Holds the reason why the last build failed; removed by one that succeeds."""
    return cache_root() / "control-plane-failure.txt"


def find() -> Binaries | None:
    """The programs, if they are somewhere already."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (found := _in_folder(Path(assets))):
        return found
    on_path = {name: shutil.which(name) for name in _NAMES}
    etcd, apiserver, manager = (on_path[name] for name in _NAMES)
    if etcd and apiserver and manager:
        return Binaries(*(Path(path).absolute() for path in (etcd, apiserver, manager)))
    return _in_folder(cache_folder())


def require() -> Binaries:
    """The programs, without building: for test runs, whose time limits are shorter than a build."""
    if found := find():
        return found
    with contextlib.suppress(OSError):
        raise Unavailable(f"the last build of it failed: {failure_file().read_text().strip()}")
    raise Unavailable(
        f"{', '.join(_NAMES)} are neither in KUBEBUILDER_ASSETS nor on PATH nor in {cache_root()}"
        " (make control-plane builds them on Debian)"
    )


def obtain() -> Binaries:
    """The programs, built if need be. Tells on standard error what it does; raises :class:`Unavailable`."""
    _mention_incomplete_assets()
    if found := find():
        return found
    root = cache_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"no cache folder {root}: {error.strerror}") from error
    with _only_one(root):
        # Another run may have built them while this one waited.
        if found := find():
            return found
        try:
            built = _build(root)
        except Unavailable as error:
            failure_file().write_text(error.reason + "\n")
            raise
        failure_file().unlink(missing_ok=True)
        return built


def _build(root: Path) -> Binaries:
    for leftover in root.glob("build-*"):
        shutil.rmtree(leftover, ignore_errors=True)  # of a run that was killed: we hold the lock
    log = root / "control-plane-build.log"
    log.write_bytes(b"")
    say(f"not found; building it once from Debian's packages, 5 to 8 minutes. Log: {log}")
    started = time.monotonic()
    # Beside its destination, so that the last step is a rename: a cache folder is complete or not there.
    folder = Path(tempfile.mkdtemp(prefix="build-", dir=root))
    try:
        result = Build(folder, log).run()
        built = _in_folder(result)
        if built is None:
            raise Unavailable(f"the build gave no {' or '.join(_NAMES)} (log: {log})")
        version = ".".join(map(str, version_of(built.apiserver)))
        destination = cache_folder()
        shutil.rmtree(destination, ignore_errors=True)
        result.rename(destination)
    except OSError as error:
        say(tail(log, 25))
        raise Unavailable(f"the build failed: {error}") from error
    finally:
        _remove(folder)
    say(f"Kubernetes {version} built in {time.monotonic() - started:.0f} s and kept in {destination}")
    found = _in_folder(destination)
    assert found is not None
    return found


def _in_folder(folder: Path) -> Binaries | None:
    paths = [folder.absolute() / name for name in _NAMES]
    if all(path.is_file() and os.access(path, os.X_OK) for path in paths):
        return Binaries(*paths)
    return None


def _mention_incomplete_assets() -> None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        return
    missing = [name for name in _NAMES if not (Path(assets) / name).is_file()]
    if missing:
        say(f"KUBEBUILDER_ASSETS={assets} lacks {', '.join(missing)}; looking further")


@contextlib.contextmanager
def _only_one(root: Path) -> Iterator[None]:
    # The kernel lets go of the lock when its holder dies.
    with (root / "control-plane.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is building it; waiting ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove(folder: Path) -> None:
    # Go leaves read-only folders behind in some of its caches.
    for path in folder.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
