"""The newest kubectl as the judge: the same kubeconfig and the same flags are given to both, and both come to
the same server, at the same path, as the same user; or both refuse.

kubectl is asked for the list that an update begins with (``get --raw``), so that both send one request.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollupdate.cli import pflag
from rollupdate.cluster import connect
from rollupdate.commands.connection import connection_flags
from rollupdate.errors import RollingUpdateError
from testing.command import COMMAND
from testing.objects import Json
from tests.cluster.servers import Answer, ApiServer, Authority, Request, controller, listing, serving

LIST = "/api/v1/namespaces/default/replicationcontrollers"
LISTED = listing(controller("web", replicas=0))
EXEC = "client.authentication.k8s.io/v1"


@dataclass(frozen=True)
class Asked:
    """What a server was asked, and by whom."""

    path: str
    authorization: str | None
    impersonating: tuple[tuple[str, str], ...]
    peer: str | None

    @classmethod
    def read(cls, request: Request) -> Asked:
        headers = tuple(
            sorted((name.lower(), value) for name, value in request.headers if name.startswith("Impersonate"))
        )
        return cls(request.path, request.header("Authorization"), headers, request.peer)


@dataclass
class Servers:
    """One with TLS, one without; a test may set what they answer. ``folder``: for the files of a
    kubeconfig."""

    tls: ApiServer
    plain: ApiServer
    authority: Authority
    folder: Path
    kubectl: str

    def config(
        self,
        user: Json | None = None,
        cluster: Mapping[str, Any] | None = None,
        *,
        plain: bool = False,
        server: str = "",
    ) -> Json:
        """A kubeconfig for the server with TLS, or for the other. ``cluster``: further fields of it."""
        known = {"certificate-authority-data": encoded(self.authority.pem)}
        where = {"server": server or (self.plain.url if plain else self.tls.url), **({} if plain else known)}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {**where, **(cluster or {})}}],
            "users": [{"name": "u", "user": user or {}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }

    def both(self, config: Json | bytes, *flags: str) -> tuple[Outcome, Outcome]:
        """What kubectl does, and what the plugin does."""
        path = self.folder / "kubeconfig"
        path.write_bytes(config if isinstance(config, bytes) else yaml.safe_dump(config).encode())
        environ = {"HOME": str(self.folder), "KUBECONFIG": str(path), "PATH": "/usr/bin:/bin"}

        def theirs() -> str:
            ended = subprocess.run(
                [self.kubectl, "get", "--raw", LIST, *flags],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=60,
            )
            return ended.stderr if ended.returncode else ""

        def ours() -> str:
            try:
                given = connection_flags(pflag.read(["web", "--status", *flags]))
                cluster = connect(given, environ=environ)
                cluster.list_controllers()
                cluster.close()
            except RollingUpdateError as error:
                return error.message
            return ""

        return self._outcome(theirs), self._outcome(ours)

    def _outcome(self, run: Callable[[], str]) -> Outcome:
        for server in (self.tls, self.plain):
            server.requests.clear()
        refusal = run()
        return Outcome(refusal, list(map(Asked.read, [*self.tls.requests, *self.plain.requests])))


@dataclass(frozen=True)
class Outcome:
    """``refusal``: what was said, empty if nothing was refused."""

    refusal: str
    asked: list[Asked] = field(default_factory=list)


@pytest.fixture
def servers(authority: Authority, tmp_path: Path, newest_kubectl: str) -> Iterator[Servers]:
    def answer(request: Request) -> Json | None:
        return listing() if request.path.endswith("/replicationcontrollers") else None

    with serving(answer, context=authority.server_context(tmp_path)) as tls, serving(answer) as plain:
        yield Servers(tls, plain, authority, tmp_path, newest_kubectl)


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def assert_the_same(servers: Servers, config: Json | bytes, *flags: str) -> Asked:
    """Neither refuses, and the servers cannot tell them apart."""
    theirs, ours = servers.both(config, *flags)
    assert (theirs.refusal, ours.refusal) == ("", "")
    assert ours.asked == theirs.asked
    return ours.asked[-1]


def assert_both_refuse(servers: Servers, config: Json | bytes, *flags: str, words: str = "") -> str:
    """Before anything is sent, and with ``words`` in common."""
    theirs, ours = servers.both(config, *flags)
    assert theirs.refusal
    assert ours.refusal
    assert words in theirs.refusal
    assert words in ours.refusal
    assert (theirs.asked, ours.asked) == ([], [])
    return ours.refusal


# --- addresses ---


@pytest.mark.parametrize("user", [{}, {"token": "t"}, {"username": "a", "password": "b"}], ids=str)
@pytest.mark.parametrize("login", ["me:pw", "me", "m%40e:p%3Aw", "a:b@c", "a:b:c", "a:$&+,;=!*'()~"])
def test_a_login_in_the_address(servers: Servers, login: str, user: Json) -> None:
    """It takes the place of every other: also over HTTP, and of a token. Without one over TLS kubectl asks
    for a name on the terminal although it has one; that is not asked here."""
    plain = servers.plain.url.replace("//", f"//{login}@")
    asked = assert_the_same(servers, servers.config(user, plain=True, server=plain))
    assert (asked.authorization or "").startswith("Basic ")
    if user:
        address = servers.tls.url.replace("//", f"//{login}@")
        assert assert_the_same(servers, servers.config(user, server=address)) == asked


@pytest.mark.parametrize(
    "login", ["a b:c", "\N{LATIN SMALL LETTER A WITH DIAERESIS}:c", "a:[x]", "a:b/c", "a%zz:b"]
)
def test_a_login_that_must_be_escaped(servers: Servers, login: str) -> None:
    """Refused; the password is in no message of ours."""
    address = servers.plain.url.replace("//", f"//{login}@")
    said = assert_both_refuse(servers, servers.config(plain=True, server=address))
    assert login not in said
    assert login.rpartition(":")[2] + "@" not in said


@pytest.mark.parametrize(
    "path",
    [
        "/a b",
        "/k\N{LATIN SMALL LETTER U WITH DIAERESIS}che/",
        "/a%20b%2Fc",
        "//a//b/",
        "/a/../b/./c",
        "/a?b=c#d",
        "/a+b:c@d,e;f=g",
    ],
)
def test_a_path_as_it_is_written(servers: Servers, path: str) -> None:
    """Spaces and letters of any language are escaped, and what joins badly is cleaned."""
    assert_the_same(servers, servers.config(plain=True, server=servers.plain.url + path))


def test_other_forms_of_an_address(servers: Servers) -> None:
    port = servers.plain.port
    for address in (
        f"HTTP://127.0.0.1:{port}",
        f"127.0.0.1:{port}",
        f"localhost:{port}",
        f"me:pw@localhost:{port}",
    ):
        assert_the_same(servers, servers.config(plain=True, server=address))
        assert_the_same(servers, servers.config(plain=True, server="http://127.0.0.1:1"), "--server", address)


@pytest.mark.parametrize("end", [" ", "\n", "/a\tb", "/%zz", "x"], ids=repr)
def test_addresses_that_are_none(servers: Servers, end: str) -> None:
    assert_both_refuse(servers, servers.config(plain=True, server=servers.plain.url + end))


def test_a_path_needs_a_scheme(servers: Servers) -> None:
    config = servers.config(plain=True, server=f"127.0.0.1:{servers.plain.port}/a")
    assert_both_refuse(servers, config, words="host must be a URL or a host:port pair")


# --- files ---


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be with a mark"])
@pytest.mark.parametrize("as_json", [False, True], ids=["yaml", "json"])
def test_encodings(servers: Servers, encoding: str, as_json: bool) -> None:
    """As editors and PowerShell write them."""
    config = servers.config({"token": "t"})
    text = json.dumps(config) if as_json else yaml.safe_dump(config)
    mark = b"\xfe\xff" if "mark" in encoding else b""
    assert_the_same(servers, mark + text.encode(encoding.partition(" ")[0]))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_that_do_not_say_so(servers: Servers, encoding: str) -> None:
    content = yaml.safe_dump(servers.config({"token": "t"})).encode(encoding)
    assert_both_refuse(servers, content, words="error loading config file")


def test_one_object_after_the_other(servers: Servers) -> None:
    """The first one counts, of JSON as of YAML."""
    first, second = (json.dumps(servers.config({"token": name})) for name in ("one", "two"))
    for content in (first + second, f"{first}\n{second}\n", f"---\n{first}\n---\n{second}\n"):
        assert assert_the_same(servers, content.encode()).authorization == "Bearer one"


@pytest.mark.parametrize("value", ["y", "Yes", "on", "TRUE"])
def test_every_word_for_yes(servers: Servers, value: str) -> None:
    """The words of YAML 1.1, as the library of Kubernetes reads them."""
    config = servers.config({"token": "t"}, server=servers.tls.url)
    del config["clusters"][0]["cluster"]["certificate-authority-data"]
    text = yaml.safe_dump(config).replace("server:", f"insecure-skip-tls-verify: {value}\n    server:")
    assert_the_same(servers, text.encode())


@pytest.mark.parametrize("token", ["123", "1.5", "true", "y", "0o17", "[a]"])
def test_values_of_another_type(servers: Servers, token: str) -> None:
    text = yaml.safe_dump(servers.config({"token": "t"})).replace("token: t", f"token: {token}")
    assert_both_refuse(servers, text.encode(), words="error loading config file")


# --- certificate authorities ---

BROKEN = "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydA==\n-----END CERTIFICATE-----\n"
NO_BASE64 = BROKEN.replace("bm90", "!!!!")
KEY = BROKEN.replace("CERTIFICATE", "PRIVATE KEY")
BUNDLES: dict[str, Callable[[str], str]] = {
    "a broken block before": lambda good: BROKEN + good,
    "a broken block behind": lambda good: good + BROKEN,
    "a block that is no base64": lambda good: NO_BASE64 + good,
    "a key": lambda good: KEY + good,
    "text between": lambda good: f"# ours\nhello\n{good}trailing",
    "a block without an end": lambda good: "-----BEGIN CERTIFICATE-----\nbm90\n" + good,
    "ends of lines of Windows": lambda good: good.replace("\n", "\r\n"),
    "no end of the last line": lambda good: good.strip(),
}
USELESS: dict[str, Callable[[str], str]] = {
    "only a broken block": lambda good: BROKEN,
    "only text": lambda good: "hello",
    "only a key": lambda good: KEY,
    "garbage in the block": lambda good: good.replace("-----END", "@@\n-----END"),
    "headers": lambda good: good.replace("CERTIFICATE-----\n", "CERTIFICATE-----\nA: b\n\n", 1),
    "indented": lambda good: "\n".join("  " + line for line in good.splitlines()),
    "in one line": lambda good: good.replace("\n", ""),
    "a byte order mark": lambda good: "\ufeff" + good,
}


@pytest.mark.parametrize("bundle", BUNDLES)
def test_a_bundle_of_which_one_certificate_is_good(servers: Servers, bundle: str) -> None:
    content = BUNDLES[bundle](servers.authority.pem.decode()).encode()
    assert_the_same(servers, servers.config({"token": "t"}, {"certificate-authority-data": encoded(content)}))


@pytest.mark.parametrize("bundle", USELESS)
def test_a_bundle_without_a_good_certificate(servers: Servers, bundle: str) -> None:
    content = USELESS[bundle](servers.authority.pem.decode()).encode()
    config = servers.config({"token": "t"}, {"certificate-authority-data": encoded(content)})
    assert_both_refuse(servers, config, words="unable to load root certificates")


# --- credential plugins ---


def _plugin(servers: Servers, output: str | bytes) -> Json:
    """A user whose plugin prints that."""
    (servers.folder / "output").write_bytes(output if isinstance(output, bytes) else output.encode())
    return {
        "exec": {
            "apiVersion": EXEC,
            "command": "cat",
            "args": [str(servers.folder / "output")],
            "interactiveMode": "Never",
        }
    }


CREDENTIAL = {"apiVersion": EXEC, "kind": "ExecCredential", "status": {"token": "t"}}
IN_JSON, IN_YAML = json.dumps(CREDENTIAL), yaml.safe_dump(CREDENTIAL)
OUTPUTS: dict[str, str | bytes] = {
    "json": IN_JSON,
    "yaml": IN_YAML,
    "yaml, marked as a document": f"---\n{IN_YAML}",
    "yaml, two documents": f"{IN_YAML}---\nother: 1\n",
    "yaml, a date that is not quoted": f"{IN_YAML}  expirationTimestamp: 2099-01-01T00:00:00Z\n",
    "a byte order mark": f"\ufeff{IN_JSON}",
    "utf-16": IN_YAML.encode("utf-16"),
    "without a kind": json.dumps({**CREDENTIAL, "kind": ""}),
    "with other fields": json.dumps({**CREDENTIAL, "spec": {}, "later": 1}),
}
WRONG_OUTPUTS = {
    "nothing": "",
    "text": "logged in",
    "a list": "[]",
    "json twice": IN_JSON + IN_JSON,
    "text behind json": f"{IN_JSON}\nlogged in\n",
    "text before yaml": f"logged in\n{IN_YAML}",
    "a number": IN_YAML.replace("token: t", "token: 5"),
    "another version": IN_YAML.replace("/v1", "/v1beta1"),
    "no version": IN_YAML.replace(f"apiVersion: {EXEC}\n", ""),
    "another kind": IN_YAML.replace("kind: Exec", "kind: Other"),
    "no status": json.dumps({**CREDENTIAL, "status": None}),
    "a time without a zone": f"{IN_YAML}  expirationTimestamp: 2099-01-01T00:00:00\n",
}


@pytest.mark.parametrize("output", OUTPUTS)
def test_what_a_credential_plugin_may_print(servers: Servers, output: str) -> None:
    asked = assert_the_same(servers, servers.config(_plugin(servers, OUTPUTS[output])))
    assert asked.authorization == "Bearer t"


@pytest.mark.parametrize("output", WRONG_OUTPUTS)
def test_what_a_credential_plugin_may_not_print(servers: Servers, output: str) -> None:
    said = assert_both_refuse(
        servers, servers.config(_plugin(servers, WRONG_OUTPUTS[output])), words="getting credentials: "
    )
    assert "logged in" not in said


# --- auth-provider: oidc ---


def _token(**claims: Any) -> str:
    parts = ({"alg": "none"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + ".s"
    )


def _oidc(token: str, **config: str) -> Json:
    known = {"idp-issuer-url": "https://idp.invalid", "client-id": "k", **config}
    return {"auth-provider": {"name": "oidc", "config": {**known, **({"id-token": token} if token else {})}}}


def test_an_id_token_is_used_until_it_expires(servers: Servers) -> None:
    live, dead = _token(exp=int(time.time()) + 3600), _token(exp=int(time.time()) - 3600)
    assert assert_the_same(servers, servers.config(_oidc(live))).authorization == f"Bearer {live}"
    assert_the_same(servers, servers.config(_oidc(_token(exp=str(int(time.time()) + 3600)))))
    assert_the_same(servers, servers.config({**_oidc(dead), "token": "t"}))
    assert_the_same(servers, servers.config(_oidc(dead)), "--token=t")
    assert_the_same(servers, servers.config(_oidc(live), plain=True))


def test_an_id_token_that_is_of_no_use(servers: Servers) -> None:
    """Expired, or to expire within seconds; none; or none of these."""
    now = int(time.time())
    for token in ("", _token(exp=now - 1), _token(exp=now + 5), _token(sub="me"), "abc"):
        assert_both_refuse(servers, servers.config(_oidc(token)))
    live = _token(exp=now + 3600)
    for missing in ("idp-issuer-url", "client-id"):
        assert_both_refuse(
            servers, servers.config(_oidc(live, **{missing: ""})), words=f"Must provide {missing}"
        )
    both = servers.config({**_oidc(live), **_plugin(servers, IN_JSON)})
    assert_both_refuse(
        servers, both, words="authProvider cannot be provided in combination with an exec plugin"
    )


@pytest.mark.parametrize("name", ["gcp", "azure", "openstack", ""])
def test_other_providers_are_gone(servers: Servers, name: str) -> None:
    for further in ({}, {"token": "t"}):
        assert_both_refuse(servers, servers.config({"auth-provider": {"name": name}, **further}))


# --- flags ---


@pytest.mark.parametrize(
    ("user", "flags"),
    [
        ({"token": "t"}, ("--as=me", "--as-user-extra=a=b", "--as-user-extra=a=c", "--as-user-extra=D=x,y")),
        ({"token": "t"}, ("--as=me", "--as-user-extra=a=b=c", "--as-user-extra=example.com/Foo Bar=x")),
        ({"token": "t"}, ("--as=me", "--as-user-extra=a=", "--as-user-extra=")),
        ({"token": "t", "as": "k", "as-user-extra": {"a": ["1", "2"], "z": ["3"]}}, ()),
        ({"token": "t", "as": "k", "as-user-extra": {"a": ["1", "2"], "z": ["3"]}}, ("--as-user-extra=a=f",)),
        ({"token": "t", "as": "k", "as-groups": ["g"], "as-uid": "7"}, ("--as=me", "--as-group=h")),
        ({}, ("--username=a", "--password=b:c")),
        ({}, ("--username=\N{LATIN SMALL LETTER A WITH DIAERESIS}",)),
        ({"username": "k", "password": "l"}, ("--username=a",)),
        ({"token": "t"}, ("--tls-server-name=localhost",)),
        ({"token": "t"}, ("--disable-compression", "--warnings-as-errors", "--insecure-skip-tls-verify")),
    ],
    ids=str,
)
def test_flags_of_kubectl(servers: Servers, user: Json, flags: tuple[str, ...]) -> None:
    assert_the_same(servers, servers.config(user), *flags)


def test_a_password_is_for_tls_only(servers: Servers) -> None:
    asked = assert_the_same(servers, servers.config(plain=True), "--username=a", "--password=b")
    assert asked.authorization is None


@pytest.mark.parametrize(
    ("user", "flags", "words"),
    [
        ({"token": "t"}, ("--as-user-extra=a=b",), "requesting uid, groups or user-extra for u without"),
        ({"token": "t"}, ("--username=a", "--password=b"), "found [token basicAuth], only one is allowed"),
        ({}, ("--username=a", "--token=t"), "found [token basicAuth], only one is allowed"),
        (
            {"tokenFile": "/dev/null"},
            ("--username=a",),
            "username/password or bearer token may be set, but not both",
        ),
        ({"token": "t"}, ("--proxy-url=ftp://p",), 'unsupported scheme "ftp"'),
        ({"token": "t"}, ("--proxy-url=127.0.0.1:1",), "could not parse"),
        ({"token": "t"}, ("--user=other", "--username=a"), 'auth info "other" does not exist'),
    ],
    ids=str,
)
def test_flags_that_do_not_fit(servers: Servers, user: Json, flags: tuple[str, ...], words: str) -> None:
    assert_both_refuse(servers, servers.config(user), *flags, words=words)


def test_the_proxy_of_the_flag(servers: Servers) -> None:
    """It wins over that of the kubeconfig, and its login is sent to it alone."""
    there = "http://api.invalid"
    through = servers.plain.url.replace("//", "//p:q@")
    for further in ({}, {"proxy-url": "http://127.0.0.1:1"}):
        config = servers.config({}, further, plain=True, server=there)
        asked = assert_the_same(servers, config, f"--proxy-url={through}")
        assert asked.path == there + LIST
    assert_the_same(
        servers, servers.config({}, {"proxy-url": through}, plain=True, server=there), "--proxy-url="
    )


# --- warnings ---


def _warning(texts: list[str]) -> Callable[[Request], Answer]:
    return lambda request: Answer(LISTED, headers=[("Warning", f'299 - "{text}"') for text in texts])


def test_warnings_as_errors(servers: Servers) -> None:
    """All is done, and the exit status says that the server has warned of something, each text once."""
    path = servers.folder / "kubeconfig"
    path.write_text(yaml.safe_dump(servers.config(plain=True)))
    for texts in ([], ["one"], ["one", "two", "one"]):
        servers.plain.answer = _warning(texts)
        for command in ([servers.kubectl, "get", "--raw", LIST], [*COMMAND, "web", "--status"]):
            for flags in ((), ("--warnings-as-errors",)):
                ended = subprocess.run(
                    [*command, f"--kubeconfig={path}", *flags],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                number = len(set(texts))
                said = f"error: {number} warning{'s' if number > 1 else ''} received\n"
                assert ended.returncode == (1 if flags and texts else 0)
                assert (said in ended.stderr) == bool(flags and texts)
                assert ended.stderr.count("Warning: ") == number


# --- redirects ---


def _redirecting(code: int, location: str) -> Callable[[Request], Answer | Json]:
    def answer(request: Request) -> Answer | Json:
        if request.path.startswith("/there"):
            return listing()
        return Answer(b"moved", code, {"Location": location})

    return answer


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(servers: Servers, code: int) -> None:
    """Within the server and to another one of the same authority, with the credentials; to a path with a
    space."""
    config = servers.config({"token": "t"})
    servers.tls.answer = _redirecting(code, "/there/a b?x=y")
    assert assert_the_same(servers, config, "--as=me").path == "/there/a%20b"
    other = servers.authority.server_context(servers.folder, hosts=("localhost",))
    with serving(lambda request: listing(), context=other) as elsewhere:
        servers.tls.answer = _redirecting(code, f"https://localhost:{elsewhere.port}/there")
        assert_the_same(servers, config)
        theirs, ours = map(Asked.read, elsewhere.requests)
        assert ours == theirs
        assert ours.authorization == "Bearer t"


def test_redirects_without_an_end(servers: Servers) -> None:
    """The same number of requests, and the same words."""
    servers.plain.answer = _redirecting(302, "/again")
    theirs, ours = servers.both(servers.config(plain=True))
    assert "stopped after 10 redirects" in theirs.refusal
    assert "stopped after 10 redirects" in ours.refusal
    assert len(theirs.asked) == len(ours.asked) == 10


def test_a_redirect_that_leads_nowhere(servers: Servers) -> None:
    servers.plain.answer = lambda request: Answer(b"", 302)
    theirs, ours = servers.both(servers.config(plain=True))
    assert theirs.refusal
    assert ours.refusal
    assert len(theirs.asked) == len(ours.asked) == 1


def test_a_token_is_not_sent_where_it_can_be_read(servers: Servers) -> None:
    """The one difference: from https to http kubectl sends it along."""
    servers.tls.answer = _redirecting(302, f"{servers.plain.url}/there/replicationcontrollers")
    theirs, ours = servers.both(servers.config({"token": "t"}))
    assert theirs.refusal == ""
    assert "where the credentials could be read on the way" in ours.refusal
    assert [asked.path for asked in ours.asked] == [LIST]
