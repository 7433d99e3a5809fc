"""The self-contained program as an archive that krew can install: files and folders only, the same bytes from
the same input. What is in the program is said in ``frozen.spec``; here it is packed.
"""

from __future__ import annotations

import ast
import gzip
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from importlib import metadata
from io import BytesIO
from pathlib import Path

from rollupdate.version import __version__

ROOT = Path(__file__).resolve().parent.parent
NAME = "kubectl-rolling_update"
DATE = 1577836800
"""The time of every file in an archive, in seconds: no build differs from another by the clock."""


class CannotBuildError(Exception):
    """The archive cannot be built on this machine; the message says why."""


def this_platform() -> str:
    """In krew's words, ``linux-amd64``."""
    system = {"win32": "windows"}.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return f"{system}-{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def archive_name(target: str) -> str:
    """krew reads zip files and compressed tar files everywhere; people unpack the former on Windows."""
    ending = "zip" if target.startswith("windows-") else "tar.gz"
    return f"{NAME}-v{__version__}-{target}.{ending}"


def build(dist: Path) -> Path:
    """Build the archive for this platform into ``dist``. Raises CannotBuildError."""
    with tempfile.TemporaryDirectory(prefix="rollupdate-build-") as folder:
        program = freeze(Path(folder))
        shutil.copy(ROOT / "LICENSE", program)
        shutil.copy(ROOT / "README.md", program)
        shutil.copytree(ROOT / "man", program / "man")
        modules = Path(folder) / "work" / "frozen" / "PYZ-00.toc"
        (program / "THIRD-PARTY-LICENSES").write_text(licences(modules), encoding="utf-8")
        target = dist / archive_name(this_platform())
        pack(program, target)
    return target


def freeze(folder: Path) -> Path:
    """Run PyInstaller; the folder with the program."""
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "PyInstaller", "--noconfirm", "--clean", "--log-level", "WARN"),
            *("--distpath", str(folder / "program"), "--workpath", str(folder / "work")),
            str(ROOT / "release" / "frozen.spec"),
        ],
        env={
            **os.environ,
            "PYTHONHASHSEED": "1",
            "SOURCE_DATE_EPOCH": str(DATE),
            "PYINSTALLER_CONFIG_DIR": str(folder / "cache"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise CannotBuildError(ran.stdout)
    return folder / "program" / NAME


def licences(modules: Path) -> str:
    """The licences of all that the program brings along, from the list of modules that PyInstaller leaves."""
    entries = ast.literal_eval(modules.read_text(encoding="utf-8"))[1]
    tops = {name.split(".")[0] for name, _, _ in entries} - set(sys.stdlib_module_names) - {"rollupdate"}
    known = metadata.packages_distributions()
    names = sorted({known[top][0] for top in tops if top in known}, key=str.lower)
    parts = [
        "kubectl rolling-update is under the Apache License 2.0 (file LICENSE). This archive brings along\n"
        "Python, OpenSSL and the other libraries that Python is linked with, and these packages:\n",
        *(_licence(name) for name in names),
        f"==== Python {platform.python_version()}: PSF-2.0\n\n{_python_licence()}",
    ]
    return "\n".join(parts)


def _licence(name: str) -> str:
    about = metadata.metadata(name).json
    kind = str(about.get("license_expression") or about.get("license") or "see below")
    texts = [
        text
        for path in metadata.files(name) or ()
        if ".dist-info/" in str(path) and path.name.upper().startswith(("LICEN", "NOTICE", "COPYING"))
        for text in [path.read_text(encoding="utf-8").strip()]
    ]
    return "\n\n".join([f"==== {name} {about['version']}: {kind.splitlines()[0]}", *texts]) + "\n"


def _python_licence() -> str:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (
        Path(sysconfig.get_path("stdlib")) / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        Path(f"/usr/share/doc/python{version}/copyright"),
    ):
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return "https://docs.python.org/3/license.html\n"


# --- packing ---


def pack(folder: Path, target: Path) -> None:
    """All of ``folder``, without its own name, into an archive that appears whole or not at all."""
    # Through links to folders, too: what they lead to is packed where they are.
    found = (
        Path(at) / name for at, inner, files in os.walk(folder, followlinks=True) for name in inner + files
    )
    paths = sorted(found, key=lambda path: path.relative_to(folder).as_posix())
    partial = target.with_name(target.name + ".partial")
    if target.suffix == ".zip":
        _zip(folder, paths, partial)
    else:
        _tar(folder, paths, partial)
    partial.replace(target)


def _mode(path: Path) -> int:
    executable = path.is_dir() or path.stat().st_mode & 0o111 or path.suffix in (".exe", ".dll", ".pyd")
    return 0o755 if executable else 0o644


def _tar(folder: Path, paths: list[Path], target: Path) -> None:
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in paths:
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.mtime, entry.mode = DATE, _mode(path)
            if path.is_dir():
                entry.type = tarfile.DIRTYPE
                tar.addfile(entry)
            else:  # a link, as what it leads to: krew refuses to unpack links
                content = path.read_bytes()
                entry.size = len(content)
                tar.addfile(entry, BytesIO(content))


def _zip(folder: Path, paths: list[Path], target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            name = path.relative_to(folder).as_posix()
            entry = zipfile.ZipInfo(name + "/" if path.is_dir() else name, (2020, 1, 1, 0, 0, 0))
            entry.create_system = 3  # where modes are kept, whatever it is made on
            entry.external_attr = (0o40000 if path.is_dir() else 0o100000) + _mode(path) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, b"" if path.is_dir() else path.read_bytes())
