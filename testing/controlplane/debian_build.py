"""Builds kube-apiserver and kube-controller-manager from Debian's own source package, and fetches its etcd.

Nothing is installed and no privilege is needed: apt works on a private configuration (its own lists, cache
and source list, derived from the machine's), packages that are missing are unpacked into the build folder,
and the folder is removed at the end. Where the result goes and when this is tried is
:mod:`testing.controlplane.binaries`'s part.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testing.controlplane import apt_sources
from testing.controlplane.processes import tail
from testing.controlplane.unavailable import Unavailable

UPSTREAM = "1.20."
"""The upstream version this recipe was made for, as Debian 12 has it."""
_GO_FOLDERS = "usr/lib/go-*/bin"
_DEBIAN = Path("/etc/debian_version")
_NEEDED_SPACE = 5 * 1024**3
_NEEDED_PACKAGES = {"make": "make", "rsync": "rsync", "etcd": "etcd-server"}
"""Program -> package. Go is always asked for: another version than Debian's may not build this."""
_REFLECT = "golang-github-modern-go-reflect2-dev"
"""In place of the vendored one, with which an API server built by Go 1.18 or newer crashes at the first
custom resource: it goes through those with ``reflect2.UnsafeIterate``, which 1.0.1 links to a function of
Go's runtime that has changed since."""
_REFLECT_FOLDER = Path("github.com", "modern-go", "reflect2")
_NO_HOOKS = ("Update::Pre-Invoke", "Update::Post-Invoke", "Update::Post-Invoke-Success")


class Build:
    """One build in ``folder``, which must be empty and private; output of all commands goes to ``log``."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._tools = folder / "tools"
        self._apt_conf = folder / "apt.conf"

    def run(self) -> Path:
        """Build; gives the folder with the three stripped programs. Raises :class:`Unavailable`."""
        self._check_machine()
        with self._step("reading the package indexes", "10 s"):
            self._configure_apt()
            self._command(["apt-get", "-c", str(self._apt_conf), "update", "-q"])
        with self._step("fetching Go, etcd and the source of package kubernetes", "20 s"):
            tarball = self._fetch_source()
            self._fetch_tools()
        with self._step("unpacking", "15 s"):
            source = self._unpack(tarball)
            self._replace_reflect(source)
        with self._step("building kube-apiserver and kube-controller-manager", "4 to 8 minutes on 2 cores"):
            what = "cmd/kube-apiserver cmd/kube-controller-manager"
            self._command(["make", f"WHAT={what}"], cwd=source, env=self._go_environment())
        result = self._folder / "result"
        result.mkdir()
        for name in ("kube-apiserver", "kube-controller-manager"):
            # Kubernetes' makefile links with -s -w: there is nothing left to strip.
            shutil.move(source / "_output" / "bin" / name, result / name)
        shutil.copy2(self._find("etcd"), result / "etcd")
        if strip := shutil.which("strip"):
            self._command([strip, str(result / "etcd")])
        return result

    def _check_machine(self) -> None:
        if sys.platform != "linux" or not _DEBIAN.exists():
            raise Unavailable("building the control plane needs Debian")
        for program in ("apt-get", "apt-config", "dpkg-deb", "bash", "tar"):
            if shutil.which(program) is None:
                raise Unavailable(f"building the control plane needs {program}")
        free = shutil.disk_usage(self._folder).free
        if free < _NEEDED_SPACE:
            raise Unavailable(
                f"building the control plane needs {_NEEDED_SPACE >> 30} GiB free in {self._folder.parent}, "
                f"there are {free / 1024**3:.1f}"
            )

    def _configure_apt(self) -> None:
        parts, lists, cache = (self._folder / "apt" / name for name in ("sources", "lists", "cache"))
        for folder in (parts, lists / "partial", cache / "archives" / "partial"):
            folder.mkdir(parents=True)
        shell = subprocess.run(
            ["apt-config", "shell", "LIST", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        own = dict(re.findall(r"^(\w+)='(.*)'$", shell, re.MULTILINE))
        derived = apt_sources.derive(
            Path(own.get("LIST", "/dev/null")), Path(own.get("PARTS", "/nonexistent"))
        )
        if not derived:
            raise Unavailable("this machine has no apt sources to fetch the kubernetes source package from")
        for name, content in derived.items():
            (parts / name).write_text(content)
        hooks = "".join(f"#clear APT::{name};\n" for name in _NO_HOOKS)
        self._apt_conf.write_text(
            f'{hooks}Dir::Etc::sourcelist "/dev/null";\nDir::Etc::sourceparts "{parts}/";\n'
            f'Dir::State::lists "{lists}/";\nDir::Cache "{cache}/";\n'
            # Private folders need no lock of root's, and _apt could not write to them.
            'Debug::NoLocking "true";\nAPT::Sandbox::User "";\n'
            'APT::Get::Assume-Yes "true";\nAPT::Install-Recommends "false";\n'
            'Acquire::Retries "3";\nAcquire::http::Timeout "30";\nAcquire::https::Timeout "30";\n'
        )

    def _fetch_source(self) -> Path:
        downloads = self._folder / "source"
        downloads.mkdir()
        self._command(
            ["apt-get", "-c", str(self._apt_conf), "source", "-q", "--download-only", "kubernetes"],
            cwd=downloads,
        )
        tarballs = sorted(downloads.glob("kubernetes_*.orig.tar.*"))
        if len(tarballs) != 1:
            raise Unavailable("Debian's source package kubernetes has no single upstream tarball")
        version = upstream_version(tarballs[0].name)
        if not version.startswith(UPSTREAM):
            raise Unavailable(
                f"the source package kubernetes of this release is {version}; "
                f"the recipe is for {UPSTREAM}x (Debian 12)"
            )
        return tarballs[0]

    def _fetch_tools(self) -> None:
        packages = ["golang-go"]
        packages += [
            package for program, package in _NEEDED_PACKAGES.items() if shutil.which(program) is None
        ]
        apt = ["apt-get", "-c", str(self._apt_conf), "-q"]
        # What is installed and current already is not downloaded.
        self._command([*apt, "--download-only", "install", *packages])
        self._tools.mkdir()
        for archive in sorted((self._folder / "apt" / "cache" / "archives").glob("*.deb")):
            self._command(["dpkg-deb", "-x", str(archive), str(self._tools)])
        # Not "install": it is wanted here even where the machine has it.
        packages_folder = self._folder / "packages"
        packages_folder.mkdir()
        self._command([*apt, "download", _REFLECT], cwd=packages_folder)

    def _unpack(self, tarball: Path) -> Path:
        source = self._folder / "gopath" / "src" / "k8s.io" / "kubernetes"
        source.mkdir(parents=True)
        self._command(["tar", "-xf", str(tarball), "-C", str(source), "--strip-components=1"])
        return source

    def _replace_reflect(self, source: Path) -> None:
        """The whole folder: files that the newer release has dropped would be compiled into it."""
        unpacked = self._folder / "packages" / "unpacked"
        for archive in unpacked.parent.glob("*.deb"):
            self._command(["dpkg-deb", "-x", str(archive), str(unpacked)])
        newer = unpacked / "usr" / "share" / "gocode" / "src" / _REFLECT_FOLDER
        if not newer.is_dir():
            raise Unavailable(f"the package {_REFLECT} has no {_REFLECT_FOLDER}")
        vendored = source / "vendor" / _REFLECT_FOLDER
        shutil.rmtree(vendored)
        shutil.copytree(newer, vendored)

    def _go_environment(self) -> dict[str, str]:
        return {
            "GOPATH": str(self._folder / "gopath"),
            "GOCACHE": str(self._folder / "gocache"),
            "GO111MODULE": "off",
            "GOFLAGS": "",
            # Everything is linked statically, so no C compiler is needed.
            "CGO_ENABLED": "0",
        }

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GO", "KUBE", "MAKE", "MFLAGS"))}
        tools = self._tools
        folders = [
            *tools.glob(_GO_FOLDERS),
            tools / "usr" / "bin",
            tools / "bin",
            *Path("/").glob(_GO_FOLDERS),
        ]
        path = ":".join([*map(str, folders), kept.get("PATH", os.defpath)])
        triplet = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"
        libraries = [str(f) for f in (tools / "usr" / "lib" / triplet, tools / "lib" / triplet) if f.is_dir()]
        if libraries:
            kept["LD_LIBRARY_PATH"] = ":".join([*libraries, *filter(None, [kept.get("LD_LIBRARY_PATH")])])
        # Temporary files go with the folder, and a /tmp that must not be executed from does no harm.
        return {**kept, "PATH": path, "TMPDIR": str(self._folder), "LC_ALL": "C.UTF-8"}

    def _find(self, program: str) -> Path:
        found = shutil.which(program, path=self._environment()["PATH"])
        if found is None:
            raise Unavailable(f"the packages fetched have no program {program}")
        return Path(found)

    def _command(
        self, argv: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        environment = {**self._environment(), **(env or {})}
        with self._log.open("ab") as log:
            log.write(f"$ {' '.join(argv)}\n".encode())
            log.flush()
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=cwd or self._folder,
                env=environment,
                start_new_session=True,
            )
            try:
                status = process.wait()
            except BaseException:
                # make's children would go on compiling into a folder that is being removed.
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
        if status:
            say(tail(self._log, 25))
            raise Unavailable(f"{argv[0]} failed with status {status} (log: {self._log})")

    @contextlib.contextmanager
    def _step(self, what: str, usual: str) -> Iterator[None]:
        say(f"{what} (usually {usual}) ...")
        started = time.monotonic()
        yield
        say(f"{what}: {time.monotonic() - started:.0f} s")


def upstream_version(tarball: str) -> str:
    """``kubernetes_1.20.5+really1.20.2.orig.tar.gz`` -> ``1.20.2`` ('really' marks a step back)."""
    version = tarball.partition("_")[2].partition(".orig.")[0]
    return version.rpartition("really")[2]


def say(text: str) -> None:
    """Tell the user on standard error; standard output is for results."""
    print(f"control plane: {text}" if "\n" not in text else text, file=sys.stderr, flush=True)
