"""krew's own rules, and its way to install a plugin (krew: internal/index/validation, internal/download,
internal/installation, cmd/validate-krew-manifest; https://krew.sigs.k8s.io/docs/developer-guide/).

Each function raises AssertionError with krew's reason.
"""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import re
import shutil
import tarfile
import zipfile
from pathlib import Path

from testing.objects import Json

PLATFORMS = tuple(
    (system, machine)
    for system, machines in {
        "windows": ("386", "amd64", "arm64"),
        "linux": ("386", "amd64", "arm", "arm64", "ppc64le"),
        "darwin": ("amd64", "arm64"),
    }.items()
    for machine in machines
)
_SEMVER = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


# --- the manifest ---


def check_manifest(name: str, plugin: Json) -> None:
    """validate-krew-manifest, with its warnings taken for errors and the index's naming guide."""
    assert plugin["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert plugin["kind"] == "Plugin"
    assert set(plugin) == {"apiVersion", "kind", "metadata", "spec"}, "no field krew does not know"
    assert re.fullmatch(r"[a-z0-9-]+", name)
    assert plugin["metadata"] == {"name": name}
    spec = plugin["spec"]
    known = {"version", "homepage", "shortDescription", "description", "caveats", "platforms"}
    assert set(spec) <= known, "no field krew does not know"
    assert _SEMVER.fullmatch(spec["version"]), "a version is semantic and starts with v"
    assert spec["homepage"].startswith("https://")
    short = spec["shortDescription"]
    assert short, "should have a short description"
    assert not set(short) & set("\r\n"), "should not have line breaks in short description"
    assert len(short) <= 60
    assert not short.endswith(".")
    for text in (spec["description"], spec.get("caveats", "")):
        for line in text.splitlines():
            assert len(line) <= 80 or " " not in line.strip(), f"longer than 80 characters: {line}"
    assert spec["platforms"], "should have a platform specified"
    for platform in spec["platforms"]:
        check_platform(platform)
        assert [each for each in PLATFORMS if selects(platform["selector"], *each)], "matches no platform"
    for each in PLATFORMS:
        matching = [platform for platform in spec["platforms"] if selects(platform["selector"], *each)]
        assert len(matching) <= 1, f"multiple platforms select {each}"


def check_platform(platform: Json) -> None:
    assert set(platform) <= {"selector", "uri", "sha256", "files", "bin"}, "no field krew does not know"
    assert re.fullmatch(r"https://\S+\.(zip|tar\.gz)", platform["uri"])
    assert re.fullmatch(r"[a-f0-9]{64}", platform["sha256"])
    assert platform["bin"], "`bin` has to be set"
    if "files" in platform:
        assert platform["files"], "`files` has to be unspecified or non-empty"
        for operation in platform["files"]:
            assert operation["from"], "`from` field has to be set"
            assert operation["to"], "`to` field has to be set"
            assert operation["to"] == posixpath.normpath(operation["to"]), "the provided path is not clean"
    selector = platform["selector"]
    assert set(selector) <= {"matchLabels", "matchExpressions"}
    assert any(selector.values()), "empty selector is not supported"
    assert set(selector.get("matchLabels", {})) <= {"os", "arch"}
    assert {each["key"] for each in selector.get("matchExpressions", ())} <= {"os", "arch"}


def selects(selector: Json, system: str, machine: str) -> bool:
    labels = {"os": system, "arch": machine}
    if any(labels[key] != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for each in selector.get("matchExpressions", ()):
        inside = labels[each["key"]] in each.get("values", ())
        if {"In": not inside, "NotIn": inside, "Exists": False, "DoesNotExist": True}[each["operator"]]:
            return False
    return True


# --- the archive ---


def extract(archive: bytes, folder: Path) -> None:
    """As krew's downloader: files and folders only, and no name that leads elsewhere."""
    if archive[:4] == b"PK\x03\x04":
        _extract_zip(archive, folder)
        return
    assert archive[:2] == b"\x1f\x8b", "not a supported archive format"
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        for entry in tar:
            _check_path(entry.name)
            path = folder / entry.name
            if entry.isdir():
                path.mkdir(mode=entry.mode, parents=True, exist_ok=True)
                continue
            assert entry.type in (tarfile.REGTYPE, tarfile.AREGTYPE), f"unable to handle {entry.name}"
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            content = tar.extractfile(entry)
            assert content is not None
            _write(path, content.read(), entry.mode)


def _extract_zip(archive: bytes, folder: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        for entry in source.infolist():
            _check_path(entry.filename)
            mode = entry.external_attr >> 16
            if entry.is_dir():
                (folder / entry.filename).mkdir(mode=mode & 0o777, parents=True, exist_ok=True)
                continue
            assert mode & 0o170000 == 0o100000, f"not a file: {entry.filename}"
            _write(folder / entry.filename, source.read(entry), mode & 0o777)  # its folder must be there


def _check_path(name: str) -> None:
    assert ".." not in name, f"refusing to unpack archive with suspicious entry {name}"
    assert not name.startswith(("/", "\\")), f"refusing to unpack archive with absolute entry {name}"


def _write(path: Path, content: bytes, mode: int) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode), "wb") as file:  # noqa: PTH123
        file.write(content)


# --- the installation ---


def install(plugin: Json, archive: Path, root: Path, *, system: str, machine: str) -> Path:
    """``kubectl krew install --manifest --archive`` with KREW_ROOT=root: the folder with the link."""
    name, spec = plugin["metadata"]["name"], plugin["spec"]
    check_manifest(name, plugin)
    [platform] = [each for each in spec["platforms"] if selects(each["selector"], system, machine)]
    content = archive.read_bytes()
    assert hashlib.sha256(content).hexdigest() == platform["sha256"], "checksum does not match"
    unpacked = root / "unpacked"
    unpacked.mkdir(parents=True)
    extract(content, unpacked)
    store = root / "store" / name / spec["version"]
    store.mkdir(parents=True)
    for operation in platform.get("files", [{"from": "*", "to": "."}]):
        _move(unpacked, store, operation)
    shutil.rmtree(unpacked)
    program = store / platform["bin"]
    assert program.resolve().is_relative_to(store.resolve()), "bin is outside of the installation"
    assert program.is_file()
    links = root / "bin"
    links.mkdir(exist_ok=True)
    ending = ".exe" if system == "windows" else ""
    link = links / ("kubectl-" + name.replace("-", "_") + ending)
    link.symlink_to(program)
    return links


def _move(source: Path, store: Path, operation: Json) -> None:
    direct = source / operation["from"]
    to = operation["to"]
    if direct.exists():
        moves = [(direct, store / (direct.name if to == "." else to))]
    else:
        moves = [(path, store / to / path.name) for path in source.glob(operation["from"])]
        assert moves, f"no files in the plugin archive matched the glob pattern={operation['from']}"
    for path, target in moves:
        assert target.resolve().is_relative_to(store.resolve()), "move target is out of bounds"
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
