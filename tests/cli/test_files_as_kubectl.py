"""Files for -f as people write them, beside the newest kubectl: both read the same controller, or both
refuse.

kubectl is asked to annotate what is in the file, without a cluster (``--local``), and to print it.
"""

from __future__ import annotations

import gzip
import io
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from rollupdate.errors import ManifestError
from rollupdate.manifest import load_controller
from rollupdate.report.printers import Objects, printed
from testing.objects import Json
from tests.cluster.servers import Answer, ApiServer, Request, serving
from tests.support.manifests import my_nginx

Read = Callable[[bytes | str], tuple[list[Json] | None, Json | None]]

CONTROLLER = my_nginx(selector=True)
IN_JSON, IN_YAML = json.dumps(CONTROLLER), yaml.safe_dump(CONTROLLER)
OTHER = json.dumps(my_nginx("other"))


def _printed(text: str) -> list[Json]:
    """The objects, one after the other, without what was done to them."""
    found: list[Json] = []
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        obj, at = decoder.raw_decode(text, at)
        del obj["metadata"]["annotations"]
        found.append(obj)
    return found


@pytest.fixture
def read(newest_kubectl: str, tmp_path: Path) -> Read:
    """What kubectl finds in a file or at a URL, and the controller that the plugin finds; None if it is
    refused."""

    def both(content: bytes | str) -> tuple[list[Json] | None, Json | None]:
        source = str(content)
        if isinstance(content, bytes):
            source = str(tmp_path / "rc")
            (tmp_path / "rc").write_bytes(content)
        ended = subprocess.run(
            [newest_kubectl, "annotate", "--local", "-f", source, "mark=x", "-o", "json"],
            env={"HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        theirs = None if ended.returncode else _printed(ended.stdout)
        try:
            ours = load_controller(source, namespace="default")
        except ManifestError:
            ours = None
        return theirs, ours

    return both


def assert_the_same(read: Read, content: bytes | str) -> Json:
    theirs, ours = read(content)
    assert ours is not None
    assert theirs == [ours]
    return ours


SPELLINGS: dict[str, bytes] = {
    "json": IN_JSON.encode(),
    "yaml": IN_YAML.encode(),
    "a byte order mark": IN_YAML.encode("utf-8-sig"),
    "utf-16": IN_YAML.encode("utf-16"),
    "utf-16, the other way round": b"\xfe\xff" + IN_YAML.encode("utf-16-be"),
    "json in utf-16": IN_JSON.encode("utf-16"),
    "ends of lines of Windows": IN_YAML.replace("\n", "\r\n").encode(),
    "a comment, then json": f"# a comment\n{IN_JSON}".encode(),
    "json, marked as a document": f"---\n{IN_JSON}\n".encode(),
    "json in the manner of yaml": f"{IN_JSON[:-1]},}}".encode(),
    "single quotes": IN_JSON.replace('"', "'").encode(),
    "empty documents around it": f"---\n---\n{IN_YAML}---\n---\n# nothing\n".encode(),
    "json and empty documents": f"{IN_JSON}\n---\n---\n".encode(),
    "its end is marked": f"{IN_YAML}...\n".encode(),
    "a list": json.dumps({"apiVersion": "v1", "kind": "List", "items": [CONTROLLER]}).encode(),
}
BARE = {key: value for key, value in CONTROLLER.items() if key not in ("apiVersion", "kind")}


def _list(kind: str, *items: Json) -> bytes:
    return json.dumps({"apiVersion": "v1", "kind": kind, "items": items}).encode()


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_same_controller_however_it_is_written(read: Read, spelling: str) -> None:
    ours = assert_the_same(read, SPELLINGS[spelling])
    assert ours == CONTROLLER


def test_items_of_a_list_have_its_kind(read: Read) -> None:
    """As the API server writes lists, and `curl` keeps them."""
    assert assert_the_same(read, _list("ReplicationControllerList", BARE))["kind"] == "ReplicationController"
    assert_the_same(read, _list("ReplicationControllerList", CONTROLLER))


@pytest.mark.parametrize(
    ("kind", "left_out"), [("List", ("apiVersion", "kind")), ("ReplicationControllerList", ("kind",))]
)
def test_items_without_a_kind_that_have_none_from_the_list(
    read: Read, kind: str, left_out: tuple[str, ...]
) -> None:
    item = {key: value for key, value in CONTROLLER.items() if key not in left_out}
    assert read(_list(kind, item)) == (None, None)


@pytest.mark.parametrize("between", ["", "\n", "\n\n---\n"], ids=["nothing", "a line", "a mark"])
def test_a_stream_of_json_objects(read: Read, between: str) -> None:
    """kubectl reads each of them; an update takes one controller, and says that there are several."""
    theirs, ours = read((IN_JSON + between + OTHER).encode())
    assert theirs is not None
    assert [obj["metadata"]["name"] for obj in theirs] == ["my-nginx", "other"]
    assert ours is None


@pytest.mark.parametrize(
    "content",
    [
        f"{IN_JSON}hello",
        f"{IN_JSON}}}",
        f"{IN_JSON},{OTHER}",
        f"[{IN_JSON}]",
        f"// a comment\n{IN_JSON}",
        "hello",
        "5",
        IN_YAML.replace("  name: my-nginx", "\tname: my-nginx"),
        IN_YAML + "\0",
        IN_YAML + "%",
    ],
    ids=lambda content: content[-20:],
)
def test_texts_that_are_none(read: Read, content: str) -> None:
    assert read(content.encode()) == (None, None)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_that_do_not_say_so(read: Read, encoding: str) -> None:
    assert read(IN_YAML.encode(encoding)) == (None, None)


# --- numbers, words and keys ---

SCALARS = (
    *(
        "0o644",
        "0644",
        "0O644",
        "0x1F",
        "0b101",
        "1_000",
        "2.0",
        "2.50",
        "1e3",
        "12e03",
        ".5",
        "5.",
        "+1",
        "-0",
    ),
    *("~", "null", "nULL", "y", "Y", "yes", "n", "No", "on", "off", "TRUE", "tRUE", "1:30", "190:20:30"),
    *(
        "2020-01-01",
        "2020-01-01T00:00:00Z",
        "9223372036854775807",
        "1e400",
        "1e-400",
        "0x",
        "0o8",
        "08",
        "0_1",
    ),
    *(
        "_1",
        "1_",
        "0x_F",
        "0.1_5",
        "=",
        "<<",
        "!!str 5",
        "!!int '5'",
        "!!float 5",
        "!!bool yes",
        "!!binary aGk=",
    ),
    *(
        "!!timestamp 2020-01-01",
        "!local text",
        "! 5",
        "'5'",
        '"0o1"',
        "00",
        "-0644",
        "-0o644",
        "+0x1",
        "1e",
        "0b2",
    ),
    *(
        "NaN",
        "inf",
        "1,000",
        "1.5e3",
        "-2.0",
        "1.0e+2",
        "685_230.15",
        "1e20",
        "123456789.5",
        "0.0",
        "''",
        "1d",
    ),
)
KEYS = (
    "y",
    "on",
    "1",
    "0x1F",
    "1.5",
    "2.0",
    "0o644",
    "1e3",
    "08",
    "'y'",
    "2020-01-01",
    "1_0",
    "''",
    "!!str 5",
)


def test_every_way_to_write_a_value(read: Read) -> None:
    """What is sent of 0o644, 2.0 or yes is what kubectl sends."""
    values = "".join(f"  value-{number}: {text}\n" for number, text in enumerate(SCALARS))
    ours = assert_the_same(read, f"{IN_YAML}x:\n{values}".encode())
    kept = dict(zip(SCALARS, ours["x"].values(), strict=True))
    assert [type(value) for value in (kept["2.0"], kept["0o644"], kept["2.50"])] == [int, int, float]


@pytest.mark.parametrize("key", KEYS)
def test_every_way_to_write_a_key(read: Read, key: str) -> None:
    assert_the_same(read, f"{IN_YAML}x:\n  {key}: v\n".encode())


@pytest.mark.parametrize("value", [".inf", "-.inf", ".nan", "!!int 5.0", "!!int x", "!!float x", "*none"])
def test_values_that_cannot_be_sent(read: Read, value: str) -> None:
    assert read(f"{IN_YAML}x: {value}\n".encode()) == (None, None)


@pytest.mark.parametrize("key", ["~", "[a]", "{a: b}"])
def test_keys_that_cannot_be_sent(read: Read, key: str) -> None:
    assert read(f"{IN_YAML}x: {{{key}: v}}\n".encode()) == (None, None)


@pytest.mark.parametrize("number", ["2.0", "2e0", "0o2", "0x2", "2."])
def test_a_whole_number_of_replicas(read: Read, number: str) -> None:
    """The server takes no fraction, but 2.0 is none."""
    content = IN_YAML.replace("replicas: 3", f"replicas: {number}")
    assert assert_the_same(read, content.encode())["spec"]["replicas"] == 2
    if number in ("2.0", "2e0"):
        in_json = IN_JSON.replace('"replicas": 3', f'"replicas": {number}')
        assert assert_the_same(read, in_json.encode())["spec"]["replicas"] == 2


def test_a_fraction_of_replicas_is_refused() -> None:
    """By the server with kubectl; here with the place, before anything is sent."""
    with pytest.raises(ManifestError, match=r"spec\.replicas must be a whole number"):
        _load(IN_YAML.replace("replicas: 3", "replicas: 2.5"))


def _load(text: str) -> Json:
    return load_controller("-", namespace="default", stdin=io.BytesIO(text.encode()))


# --- URLs ---


@pytest.fixture
def web() -> Iterator[ApiServer]:
    """A server of files, which packs what ends in .gz whether it was asked to or not."""

    def answer(request: Request) -> Answer:
        if request.path.endswith(".gz"):
            return Answer(gzip.compress(IN_YAML.encode()), headers={"Content-Encoding": "gzip"})
        return Answer(IN_YAML.encode())

    with serving(answer) as server:
        yield server


@pytest.mark.parametrize(
    "path",
    [
        "/a b.yaml",
        "/k\N{LATIN SMALL LETTER U WITH DIAERESIS}che.yaml",
        "/a%20b%2Fc.yaml",
        "/a.yaml?x=y#z",
        "/rc.gz",
    ],
)
@pytest.mark.parametrize("login", ["", "me:p%40w@"], ids=["", "login"])
def test_a_file_at_a_url(read: Read, web: ApiServer, path: str, login: str) -> None:
    """Asked for as kubectl asks: spaces and letters escaped, with the login of the URL; and unpacked."""
    assert_the_same(read, web.url.replace("//", f"//{login}") + path)
    theirs, ours = (
        (request.path, request.query, request.header("Authorization")) for request in web.requests
    )
    assert ours == theirs


@pytest.mark.parametrize("path", ["/a%zz.yaml", "/a\x01.yaml"], ids=["escape", "control"])
def test_urls_that_are_none(read: Read, web: ApiServer, path: str) -> None:
    assert read(web.url + path) == (None, None)
    assert web.requests == []


@pytest.mark.parametrize(
    "content", [gzip.compress(IN_YAML.encode())[:-9], b"not packed", gzip.compress(b" " * 4_000_000)], ids=len
)
def test_what_is_badly_packed(web: ApiServer, content: bytes) -> None:
    """Cut off, not packed at all, or far larger than a controller can be."""
    web.answer = lambda request: Answer(content, headers={"Content-Encoding": "gzip"})
    with pytest.raises(ManifestError):
        load_controller(f"{web.url}/rc.yaml", namespace="default")


# --- what is printed ---


def test_what_is_printed_as_yaml_is_read_as_the_same(read: Read) -> None:
    """`-o yaml >rc.yaml`, then `-f rc.yaml` or kubectl: a text that looks like a number or a boolean is
    quoted."""
    texts = dict.fromkeys((*SCALARS, *KEYS, "1", "1.5", "text", " a", "a: b", "- a", "#", ".inf"), 0)
    labels = {f"label-{number}": text for number, text in enumerate(texts)}
    controller = {**CONTROLLER, "x": {**labels, **{text: "value" for text in texts if text != "<<"}}}
    ours = assert_the_same(read, printed(Objects((controller,)), "yaml").encode())
    assert ours == controller
