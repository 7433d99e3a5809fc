"""``-f``: what is read, from where, and the words for everything that cannot be."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, BinaryIO

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from rollupdate import manifest
from rollupdate.errors import ManifestError
from rollupdate.manifest import LARGEST, load_controller, parse
from testing.objects import Json

NGINX: Json = {
    "apiVersion": "v1",
    "kind": "ReplicationController",
    "metadata": {"name": "my-nginx-v4"},
    "spec": {
        "replicas": 5,
        "selector": {"app": "nginx", "deployment": "v4"},
        "template": {
            "metadata": {"labels": {"app": "nginx", "deployment": "v4"}},
            "spec": {"containers": [{"name": "nginx", "image": "nginx:1.9.1", "args": ["nginx", "-T"]}]},
        },
    },
}


def changed(path: str, value: Any) -> Json:
    """The controller with another value at ``spec.template...``; ``...`` takes the field out."""
    obj: Json = json.loads(json.dumps(NGINX))
    *above, last = path.split(".")
    parent = obj
    for key in above:
        parent = parent[key]
    if value is ...:
        del parent[last]
    else:
        parent[last] = value
    return obj


def load(text: str | bytes | Json, *, namespace: str = "default") -> Json:
    data = json.dumps(text) if isinstance(text, dict) else text
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    return load_controller("-", namespace=namespace, stdin=stream)


def refused(text: str | bytes | Json) -> str:
    with pytest.raises(ManifestError) as caught:
        load(text)
    return caught.value.message


# --- what is read ---


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(NGINX),
        json.dumps(NGINX, indent="\t"),
        "\n\n  " + json.dumps(NGINX),
        "\ufeff" + json.dumps(NGINX),
        yaml.safe_dump(NGINX),
        "---\n" + yaml.safe_dump(NGINX),
        "---\n---\n" + yaml.safe_dump(NGINX) + "---\n",
        "# a comment\n" + json.dumps(NGINX),
        yaml.safe_dump(NGINX, default_flow_style=True),
        "%YAML 1.1\n---\n" + yaml.safe_dump(NGINX),
        yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [NGINX]}),
        json.dumps({"apiVersion": "v1", "kind": "ReplicationControllerList", "items": [NGINX]}),
    ],
    ids=[
        "json",
        "tabs",
        "blank",
        "bom",
        "yaml",
        "---",
        "empty",
        "comment",
        "flow",
        "%",
        "List",
        "ReplicationControllerList",
    ],
)
def test_one_controller_however_it_is_written(text: str) -> None:
    """JSON or YAML, alone or in a list of one: the same object."""
    assert load(text) == NGINX


def test_fields_that_are_not_known_here_are_kept() -> None:
    """They are the server's to judge."""
    assert load(changed("spec.template.spec.new", [{"x": 1.5}]))["spec"]["template"]["spec"]["new"] == [
        {"x": 1.5}
    ]


def test_null_is_the_same_as_missing() -> None:
    """As it is for the API server; every part the update reads is there afterwards."""
    obj = load({"kind": "ReplicationController", "metadata": None, "spec": {"template": {"metadata": None}}})
    assert obj["metadata"] == {}
    assert obj["spec"]["template"] == {"metadata": {}, "spec": {}}


def test_yaml_is_read_as_the_server_reads_it() -> None:
    """JSON's types only: dates and clock times are text, keys are the text of their value (y and n are
    booleans), octal and hexadecimal numbers."""
    text = "{d: 2020-01-01, t: 1:30, o: 010, x: 0x1f, n: -1_000, e: =, 1: a, y: yes, f: 1.5, z: ~, s: '1'}"
    assert parse(text.encode(), "F") == [
        {
            "d": "2020-01-01",
            "t": "1:30",
            "o": 8,
            "x": 31,
            "false": -1000,
            "e": "=",
            "1": "a",
            "true": True,
            "f": 1.5,
            "z": None,
            "s": "1",
        }
    ]


def test_anchors_and_merges() -> None:
    """An alias is a copy; what is set beside ``<<`` wins over what is merged, and the first merged wins."""
    text = "a: &a {x: 1, v: 2}\nb: {<<: *a, v: 3}\nc: {<<: [{x: 5}, *a], z: 0}\nd: *a"
    (found,) = parse(text.encode(), "F")
    assert found["b"] == {"x": 1, "v": 3}
    assert found["c"] == {"x": 5, "v": 2, "z": 0}
    assert found["d"] == {"x": 1, "v": 2}
    assert found["d"] is not found["a"]


# --- documented messages ---


@pytest.mark.parametrize("text", ["", " \n", "# nothing\n", "---\n", "{kind: List, items: []}", "kind: List"])
def test_an_empty_file(text: str) -> None:
    """transcripts.md, section 6."""
    assert refused(text) == "please make sure STDIN exists and is not empty"


@pytest.mark.parametrize(
    "text",
    [
        "---\n".join([yaml.safe_dump(NGINX)] * 2),
        json.dumps({"kind": "List", "items": [NGINX, NGINX]}),
        json.dumps(NGINX) + "\n---\n" + json.dumps(NGINX),
    ],
)
def test_several_objects(text: str) -> None:
    """transcripts.md, section 6."""
    assert refused(text) == "STDIN specifies multiple items"


@pytest.mark.parametrize(
    ("obj", "shown"),
    [
        (changed("kind", "Deployment"), "Deployment"),
        (changed("kind", "replicationcontroller"), "replicationcontroller"),
        (changed("apiVersion", "apps/v1"), "apps/v1 ReplicationController"),
        (changed("kind", ...), "nameless kind"),
        (changed("kind", ["x"]), "nameless kind"),
        ({"kind": "List", "items": [changed("kind", "Pod")]}, "Pod"),
    ],
)
def test_another_kind(obj: Json, shown: str) -> None:
    """transcripts.md, section 6."""
    assert refused(obj) == f"STDIN contains a {shown} not a ReplicationController"


def test_another_namespace() -> None:
    """transcripts.md, section 6; the namespace of the command, or none, is fine."""
    obj = changed("metadata.namespace", "prod")
    assert refused(obj) == (
        'the namespace from the provided object "prod" does not match the namespace "default". '
        "You must pass '--namespace=prod' to perform this operation."
    )
    assert load(obj, namespace="prod")["metadata"]["namespace"] == "prod"


def test_a_missing_file(tmp_path: Path) -> None:
    """transcripts.md, section 6."""
    for path in (tmp_path / "missing.yaml", tmp_path / "missing" / "x.yaml"):
        with pytest.raises(ManifestError) as caught:
            load_controller(str(path), namespace="default")
        assert caught.value.message == f'the path "{path}" does not exist'


# --- wrong types ---


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("metadata", [], "STDIN: metadata must be an object, not a list"),
        ("spec", "x", "STDIN: spec must be an object, not text"),
        ("spec.template", 3, "STDIN: spec.template must be an object, not a number"),
        (
            "spec.template.metadata",
            True,
            "STDIN: spec.template.metadata must be an object, not true or false",
        ),
        ("spec.template.spec", [], "STDIN: spec.template.spec must be an object, not a list"),
        (
            "spec.template.spec.containers",
            {},
            "STDIN: spec.template.spec.containers must be a list, not an object",
        ),
        ("spec.template.spec.containers", ["x"], "STDIN: spec.template.spec.containers must hold objects"),
        ("spec.selector", "app=nginx", "STDIN: spec.selector must be an object, not text"),
        ("spec.selector", {"v": 2}, "STDIN: spec.selector.v must be text, not a number; put it in quotes"),
        (
            "spec.template.metadata.labels",
            {"on": True},
            "STDIN: spec.template.metadata.labels.on must be text, not true or false; put it in quotes",
        ),
        (
            "metadata.annotations",
            {"a": None},
            "STDIN: metadata.annotations.a must be text, not nothing; put it in quotes",
        ),
        ("metadata.name", 3, "STDIN: metadata.name must be text, not a number"),
        ("metadata.generateName", {}, "STDIN: metadata.generateName must be text, not an object"),
        ("metadata.namespace", 3, "STDIN: metadata.namespace must be text, not a number"),
        ("spec.replicas", "3", "STDIN: spec.replicas must be a number, not text"),
        ("spec.replicas", True, "STDIN: spec.replicas must be a number, not true or false"),
        ("spec.replicas", -1, "STDIN: spec.replicas must be a whole number from 0 to 2147483647, not -1"),
        (
            "spec.replicas",
            2**31,
            "STDIN: spec.replicas must be a whole number from 0 to 2147483647, not 2147483648",
        ),
        ("spec.replicas", 1.5, "STDIN: spec.replicas must be a whole number from 0 to 2147483647, not 1.5"),
        ("spec.minReadySeconds", [], "STDIN: spec.minReadySeconds must be a number, not a list"),
    ],
)
def test_a_field_of_another_type(path: str, value: Any, message: str) -> None:
    """The field is named, and what it must be."""
    assert refused(changed(path, value)) == message


@pytest.mark.parametrize(
    ("text", "what"), [("just text", "text"), ("3", "a number"), ("[]", "a list"), ("yes", "true or false")]
)
def test_no_object_at_all(text: str, what: str) -> None:
    """A text file, for example."""
    assert refused(text) == f"STDIN holds no object but {what}; expected a ReplicationController"


# --- what is not JSON or YAML, and what is made to hurt ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff\xfe\x00", "STDIN is not text in UTF-8 or UTF-16"),
        (b"\x1f\x8b\x08\x00\x80", "STDIN is not text in UTF-8 or UTF-16"),
        (b"\x00\x01", "error parsing STDIN: unacceptable character #x0000"),
        (b"a: b: c", "error parsing STDIN: line 1: mapping values are not allowed"),
        (b"a:\n\t- b", "error parsing STDIN: line 2: found character that cannot start any token"),
        (b'{"kind": ', "error parsing STDIN: line "),
        (b"a: *b", "error parsing STDIN: line 1: found undefined alias"),
        (b'{"a": 1, "a": 2}', 'error parsing STDIN: key "a" is set twice in one object'),
        (b"x:\n  a: 1\n  a: 2", 'error parsing STDIN: line 3: key "a" is set twice in one object'),
        (b"x: {1: a, '1': b}", 'error parsing STDIN: line 1: key "1" is set twice in one object'),
        (b"? [a]\n: b", "error parsing STDIN: line 1: a key must be text"),
        (b"<<: 3", "error parsing STDIN: line 1: << needs an object"),
        (b"a: !!python/object/apply:os.system [x]", "STDIN contains a nameless kind"),  # and runs nothing
        (b"a: !!binary /w==", "error parsing STDIN: line 1: a value that is tagged !!binary is no text"),
        (b"a: !secret b", "STDIN contains a nameless kind"),  # it is text
        (b"a: !!bool maybe", "error parsing STDIN: line 1: maybe cannot be read as !!bool"),
        (b"a: !!int x", "error parsing STDIN: line 1: x cannot be read as !!int"),
        (b"a: .inf", "error parsing STDIN: line 1: .inf is not a number of JSON"),
        (b"a: !!int " + b"9" * 5000, "error parsing STDIN: line 1: 9999"),
        (b'{"a": ' + b"9" * 5000 + b"}", "STDIN holds a number that JSON cannot write"),
        (b'{"a": NaN}', "STDIN holds a number that JSON cannot write"),
        (b'{"a": 1e999}', "STDIN holds a number that JSON cannot write"),
        (b'{"a": "\\ud800"}', "STDIN holds half a character (an unpaired surrogate)"),
        (b'{"\\udc00": 1}', "STDIN holds half a character (an unpaired surrogate)"),
        (b"a: &a [*a]", "STDIN has an alias that contains itself"),
        (b"[" * 100_000, "STDIN is nested too deeply"),
        (b"{" * 100_000, "STDIN is nested too deeply"),
        (b"x: " + b"[" * 1_000_000, "STDIN is nested too deeply"),
        (b"- " * 100_000, "STDIN is nested too deeply"),
        (b'{"a":' * 500 + b"1" + b"}" * 500, "STDIN is nested too deeply"),
    ],
)
def test_what_cannot_be_parsed(text: bytes, message: str) -> None:
    """One line that says where and what: no traceback, no crash, no wait."""
    assert refused(text).startswith(message)


def test_an_alias_bomb() -> None:
    """A few lines that would be thousands of millions of values once written out."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 12)]
    assert refused("\n".join(lines)) == "STDIN is too large once its aliases are written out"


def test_aliases_add_up_to_depth() -> None:
    """Each is shallow; one inside the other they are not."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{x: {{x: {{x: *a{n - 1}}}}}}}" for n in range(1, 60)]
    assert refused("\n".join(lines)) == "STDIN is nested too deeply"


def test_a_hundred_levels_are_enough_for_anybody() -> None:
    """Just below the limit all is well, in both languages."""
    for text in ("[" * 100 + "]" * 100, "x: " + "[" * 99 + "]" * 99):
        assert parse(text.encode(), "F")


@pytest.mark.parametrize(
    "text",
    [
        "{" + ",".join(f'"k{n}":1' for n in range(200_000)) + ',"k7":1}',
        "<<:\n" + "\n".join(f"- {{k{n}: 1}}" for n in range(40_000)),
        "#" * (LARGEST - 1),
    ],
    ids=["one key of many twice", "many merges", "one comment"],
)
def test_large_files_take_no_longer_than_their_size(text: str) -> None:
    """Each of these took minutes, or would, were it looked at again for every key."""
    begun = time.monotonic()
    refused(text)
    assert time.monotonic() - begun < 120


def test_too_large() -> None:
    """The API server would not take it either."""
    assert refused(b"#" * (LARGEST + 1)) == "standard input is larger than 3 MiB; nothing was changed"


# --- where it comes from ---


def test_from_a_path(tmp_path: Path) -> None:
    """The usual way."""
    path = tmp_path / "rc.yaml"
    path.write_text(yaml.safe_dump(NGINX))
    assert load_controller(str(path), namespace="default") == NGINX


def test_a_path_that_is_a_directory(tmp_path: Path) -> None:
    """kubectl would read all of it; here it must be one file."""
    with pytest.raises(ManifestError) as caught:
        load_controller(str(tmp_path), namespace="default")
    assert caught.value.message == f'the path "{tmp_path}" is a directory; name one file'


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_a_path_that_no_file_can_have(name: str) -> None:
    """The system's own words."""
    with pytest.raises(ManifestError, match="cannot be read: "):
        load_controller(name, namespace="default")


def test_an_endless_file() -> None:
    """Read up to the limit, and no further."""
    with pytest.raises(ManifestError, match="is larger than 3 MiB"):
        load_controller("/dev/zero", namespace="default")


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """``<&-``: Python has no standard input then."""
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ManifestError) as caught:
        load_controller("-", namespace="default")
    assert caught.value.message == "standard input is closed; nothing was changed"


def test_standard_input_that_cannot_be_read() -> None:
    """``< .``: it is a directory, which is only seen when it is read."""

    class Directory(io.RawIOBase, BinaryIO):
        def read(self, size: int = -1) -> bytes:
            raise IsADirectoryError(21, "Is a directory")

    with pytest.raises(ManifestError) as caught:
        load_controller("-", namespace="default", stdin=Directory())
    assert caught.value.message == "standard input cannot be read: Is a directory"


class Pages(BaseHTTPRequestHandler):
    """Answers by path; what is asked for more is a page that is not there."""

    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/rc.json")
            self.end_headers()
            return
        if self.path == "/round":
            self.send_response(302)
            self.send_header("Location", "/round")
            self.end_headers()
            return
        if self.path not in ("/rc.json", "/large", "/cut"):
            self.send_error(404)
            return
        body = json.dumps(NGINX).encode()
        self.send_response(200)
        length = {"/large": LARGEST + 10, "/cut": 10_000}.get(self.path, len(body))
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(b"#" * length if self.path == "/large" else body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """A web server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Pages) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's own proxy is not for loopback."""
    monkeypatch.setenv("no_proxy", "*")


@contextmanager
def raw_server(answer: bytes, *, hold: threading.Event | None = None) -> Iterator[str]:
    """Sends those bytes to whoever connects, whatever was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                if hold is not None:
                    hold.wait(30)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/rc.yaml"
        finally:
            if hold is not None:
                hold.set()
            thread.join()


def unreadable(url: str) -> str:
    with pytest.raises(ManifestError) as caught:
        load_controller(url, namespace="default")
    return caught.value.message


@pytest.mark.parametrize("path", ["/rc.json", "/moved"])
def test_from_a_url(server: str, path: str) -> None:
    """Also where it has moved to."""
    assert load_controller(server + path, namespace="default") == NGINX


def test_a_url_that_is_not_there(server: str) -> None:
    """With the server's answer."""
    url = server + "/missing.yaml"
    assert unreadable(url) == f"unable to read URL {url!r}, server reported 404 Not Found"


def test_a_url_that_goes_round_in_circles(server: str) -> None:
    """It ends."""
    assert "unable to read URL" in unreadable(server + "/round")


def test_a_url_that_is_too_large(server: str) -> None:
    """Said so, as of any file."""
    url = server + "/large"
    assert unreadable(url) == f"{url} is larger than 3 MiB; nothing was changed"


def test_an_answer_that_is_cut_off(server: str) -> None:
    """Half a file is no file."""
    url = server + "/cut"
    assert unreadable(url) == f"unable to read URL {url!r}: the answer was cut off"


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\x15\x03\x01"]
)
def test_an_answer_that_is_not_http(answer: bytes) -> None:
    """Another service on that port."""
    with raw_server(answer) as url:
        assert unreadable(url).startswith(f"unable to read URL {url!r}: ")


def test_a_server_that_never_finishes(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up after the time set for it."""
    monkeypatch.setattr(manifest, "URL_TIMEOUT", 0.2)
    with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nkind: ", hold=threading.Event()) as url:
        assert unreadable(url) == f"unable to read URL {url!r}: timed out"


def test_a_server_that_sends_a_byte_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each read is quick, all of them together are not: the whole answer has a time as well."""

    class Trickle:
        length = None

        def read1(self, size: int) -> bytes:
            ticks[0] += 1.0
            return b"#"

    ticks = [0.0]
    monkeypatch.setattr("rollupdate.manifest.time.monotonic", lambda: ticks[0])
    with pytest.raises(TimeoutError):
        manifest._read_within(Trickle(), 30.0)
    assert ticks[0] < 35


def test_nobody_there() -> None:
    """Refused, on a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"http://127.0.0.1:{port}/rc.yaml"
    assert unreadable(url) == f"unable to read URL {url!r}: [Errno 111] Connection refused"


@pytest.mark.parametrize(
    "url", ["http://", "http:///x", "http://[::1", "http://a b/", "http://h:port/", "HTTP://\udcff/"]
)
def test_urls_that_are_none(url: str) -> None:
    """Refused without asking anybody."""
    assert unreadable(url).startswith('the URL passed to filename "')


# --- everything else ---

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
PATHS = [
    "kind",
    "apiVersion",
    "metadata",
    "metadata.name",
    "spec",
    "spec.replicas",
    "spec.selector",
    "spec.template",
    "spec.template.metadata",
    "spec.template.metadata.labels",
    "spec.template.spec",
    "spec.template.spec.containers",
]


def read_or_refused(data: bytes) -> None:
    try:
        obj = load(data)
    except ManifestError as error:
        assert error.message
        return
    json.dumps(obj, allow_nan=False).encode()
    assert isinstance(obj["spec"]["template"]["metadata"], dict)


@given(st.binary() | st.text().map(str.encode) | st.text("{}[]:,-&*!?|>'\"%@\n\t ~<0a#.").map(str.encode))
@example(b"? ")
@example(b"!!map")
@example(b"- !!null x\n- ! y")
@example(b"a: !!timestamp x")
@example(b"{a: !!float '1:3'}")
@example(b"!!set {a, b}")
@example(b"--- !!str\n...\n--- x")
def test_nothing_but_a_manifest_error_ever_escapes(data: bytes) -> None:
    """Whatever the bytes are."""
    read_or_refused(data)


@given(st.sampled_from(PATHS), anything, st.booleans())
def test_nor_for_any_value_in_any_field(path: str, value: Any, as_yaml: bool) -> None:
    """In JSON and in YAML; and what is read can be sent."""
    obj = changed(path, value)
    read_or_refused((yaml.dump(obj) if as_yaml else json.dumps(obj)).encode())
