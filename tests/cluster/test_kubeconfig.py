"""Which cluster, as whom, where: files and flags, merged as kubectl merges them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from rollupdate.cluster import ConnectionConfig, ConnectionFlags
from rollupdate.cluster.kubeconfig import resolve
from rollupdate.cluster.servers import server
from rollupdate.errors import ConfigError
from tests.cluster.conftest import WriteConfig

FIRST = """
apiVersion: v1
kind: Config
clusters:
- name: c
  cluster: {server: "https://10.0.0.1:6443", certificate-authority: ca.crt}
users:
- name: u
  user: {token: from-the-first}
contexts:
- name: x
  context: {cluster: c, user: u}
current-context: x
"""
SECOND = """
clusters:
- name: c
  cluster: {server: "https://10.0.0.2:6443", tls-server-name: other}
- name: d
  cluster: {server: "https://10.0.0.3:6443", certificate-authority: certificates/ca.crt}
users:
- name: u
  user: {tokenFile: token, as: me}
- name: v
  user: {tokenFile: token}
contexts:
- name: x
  context: {cluster: c, user: u, namespace: other}
- name: second
  context: {cluster: d, user: v, namespace: there}
current-context: second
"""


@pytest.fixture
def two_files(tmp_path: Path, environ: dict[str, str]) -> dict[str, str]:
    """Two kubeconfigs in folders of their own, with the files they name."""
    for folder, text in (("one", FIRST), ("two", SECOND)):
        (tmp_path / folder / "certificates").mkdir(parents=True)
        (tmp_path / folder / "config").write_text(text)
        (tmp_path / folder / "ca.crt").write_text("ca")
        (tmp_path / folder / "certificates" / "ca.crt").write_text("ca")
        (tmp_path / folder / "token").write_text("t\n")
    missing = tmp_path / "missing"
    entries = [tmp_path / "one" / "config", "", missing, tmp_path / "two" / "config"]
    return {**environ, "KUBECONFIG": os.pathsep.join(map(str, entries))}


def failure(flags: ConnectionFlags, environ: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        resolve(flags, environ)
    return caught.value


def test_first_file_wins_and_its_entries_are_taken_whole(two_files: dict[str, str]) -> None:
    """Of a name in two files the first file's entry counts, with nothing added from the second; so does the
    first current-context. Empty parts of KUBECONFIG and files that are not there are passed over."""
    config = resolve(ConnectionFlags(), two_files)
    assert (config.server, config.context, config.namespace) == ("https://10.0.0.1:6443", "x", "default")
    assert (config.auth.token, config.auth.token_file, config.impersonation.user) == (
        "from-the-first",
        "",
        "",
    )
    assert config.tls.server_name == ""


def test_relative_paths_start_at_the_file_they_stand_in(two_files: dict[str, str], tmp_path: Path) -> None:
    config = resolve(ConnectionFlags(context="second"), two_files)
    assert config.tls.authority.file == str(tmp_path / "two" / "certificates" / "ca.crt")
    assert config.auth.token_file == str(tmp_path / "two" / "token")
    assert config.namespace == "there"


@pytest.mark.parametrize(
    ("namespace", "why"),
    [
        (".", "[may not be '.']"),
        ("..", "[may not be '..']"),
        ("a/b", "[may not contain '/']"),
        ("a/b%", "[may not contain '/' may not contain '%']"),
    ],
)
def test_a_namespace_that_would_be_another_part_of_the_path(
    kubeconfig: WriteConfig, environ: dict[str, str], namespace: str, why: str
) -> None:
    """``..`` is the whole cluster. In kubectl's words, whoever names it."""
    kubeconfig(context={"namespace": namespace})
    for flags in (ConnectionFlags(), ConnectionFlags(namespace=namespace)):
        with pytest.raises(ConfigError) as caught:
            resolve(flags, environ)
        assert caught.value.message == f'invalid namespace "{namespace}": {why}'


def test_the_flag_names_the_only_file(two_files: dict[str, str], tmp_path: Path) -> None:
    """--kubeconfig puts KUBECONFIG out of force altogether."""
    flags = ConnectionFlags(kubeconfig=str(tmp_path / "two" / "config"))
    assert resolve(flags, two_files).context == "second"


def test_a_missing_file_named_by_the_flag_is_an_error(environ: dict[str, str], tmp_path: Path) -> None:
    missing = tmp_path / "nosuch"
    error = failure(ConnectionFlags(kubeconfig=str(missing)), environ)
    assert error.message == f"stat {missing}: no such file or directory"


def test_an_empty_variable_means_the_default_file(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    kubeconfig({"server": "https://10.1.1.1"})
    assert resolve(ConnectionFlags(), {**environ, "KUBECONFIG": ""}).server == "https://10.1.1.1"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (ConnectionFlags(context="nosuch"), 'context "nosuch" does not exist'),
        (ConnectionFlags(cluster="nosuch"), 'cluster "nosuch" does not exist'),
        (ConnectionFlags(user="nosuch"), 'auth info "nosuch" does not exist'),
        (ConnectionFlags(as_groups=("g",)), "requesting uid, groups or user-extra for u without"),
        (ConnectionFlags(as_uid="7"), "requesting uid, groups or user-extra for u without"),
        (ConnectionFlags(server="host:3/x"), 'host must be a URL or a host:port pair: "host:3/x"'),
    ],
)
def test_flags_that_do_not_fit(
    flags: ConnectionFlags, message: str, environ: dict[str, str], kubeconfig: WriteConfig
) -> None:
    kubeconfig()
    assert failure(flags, environ).message.startswith(message)


def test_a_current_context_that_is_not_there(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    path = kubeconfig()
    path.write_text(path.read_text().replace("current-context: x", "current-context: other"))
    error = failure(ConnectionFlags(), environ)
    assert error.message == 'current-context "other" does not exist'
    assert error.hint == "contexts there are: x; choose one with --context"


def test_flags_on_top(environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path) -> None:
    """Each flag replaces what the kubeconfig has; another server clears its TLS server name, too, and a
    token puts the token file and the password out of force."""
    kubeconfig(
        {"tls-server-name": "old"},
        {"tokenFile": str(tmp_path / "nosuch"), "username": "a", "password": "b", "as": "me"},
        {"namespace": "there"},
    )
    config = resolve(
        ConnectionFlags(
            server="https://10.9.9.9:1/prefix/",
            token="t",
            namespace="here",
            as_user="you",
            as_groups=("g", "h"),
            as_uid="7",
            request_timeout=2.5,
            insecure_skip_tls_verify=True,
        ),
        environ,
    )
    assert (config.server, config.namespace) == ("https://10.9.9.9:1/prefix", "here")
    assert (config.tls.server_name, config.tls.insecure, config.request_timeout) == ("", True, 2.5)
    assert (config.auth.token, config.auth.token_file, config.auth.username) == ("t", "", "")
    wanted = config.impersonation
    assert (wanted.user, wanted.groups, wanted.uid) == ("you", ("g", "h"), "7")


def test_insecure_flag_clears_the_authority_of_the_file(
    environ: dict[str, str], kubeconfig: WriteConfig, tmp_path: Path
) -> None:
    """As in client-go: the flag alone replaces the kubeconfig's authority, both flags exclude each other."""
    authority = tmp_path / "ca.crt"
    authority.write_text("ca")
    kubeconfig({"certificate-authority": str(authority)})
    assert not resolve(ConnectionFlags(insecure_skip_tls_verify=True), environ).tls.authority
    flags = ConnectionFlags(insecure_skip_tls_verify=True, certificate_authority=str(authority))
    expected = "specifying a root certificates file with the insecure flag is not allowed"
    assert failure(flags, environ).message == expected
    kubeconfig({"certificate-authority": str(authority), "insecure-skip-tls-verify": True})
    assert failure(ConnectionFlags(), environ).message == expected


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ({"token": "a", "username": "b"}, "more than one authentication method found for u; found [token"),
        ({"client-certificate-data": "YQ=="}, "client-key-data or client-key must be specified for u"),
        (
            {"client-certificate-data": "YQ==", "client-certificate": "f", "client-key-data": "YQ=="},
            "client-cert-data and client-cert are both specified for u",
        ),
        (
            {"client-certificate": "nosuch", "client-key-data": "YQ=="},
            "unable to read client-cert of u: /",
        ),
        ({"tokenFile": "nosuch"}, "unable to read tokenFile of u: /"),
        ({"auth-provider": {"name": "gcp"}}, 'the auth-provider "gcp" of user "u" is not supported'),
        ({"as-groups": ["g"]}, "requesting uid, groups or user-extra for u without impersonating a user"),
        ({"as-user-extra": {"a": ["b"]}}, "requesting uid, groups or user-extra for u without"),
        ({"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1"}}, "interactiveMode must"),
        ({"exec": {"command": "x"}}, "in configuration:\n* apiVersion must be specified for u"),
        (
            {"exec": {"command": "x", "apiVersion": "client.authentication.k8s.io/v1alpha1"}},
            'exec plugin of u: invalid apiVersion "client.authentication.k8s.io/v1alpha1"',
        ),
        (
            {
                "exec": {
                    "command": "x",
                    "apiVersion": "client.authentication.k8s.io/v1",
                    "interactiveMode": "Perhaps",
                }
            },
            'invalid interactiveMode for u: "Perhaps"',
        ),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "env": [{"value": "v"}]}},
            "in configuration:\n* command must be specified for u",
        ),
    ],
)
def test_users_that_cannot_be_used(
    user: dict[str, Any], message: str, environ: dict[str, str], kubeconfig: WriteConfig
) -> None:
    """Refused before anything is sent, in kubectl's words where it has some."""
    kubeconfig(user=user)
    assert failure(ConnectionFlags(), environ).message.startswith(message)


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        ({"proxy-url": "ftp://p"}, 'proxy-url of cluster "c": unsupported scheme "ftp"'),
        ({"proxy-url": "127.0.0.1:3"}, 'proxy-url of cluster "c": could not parse'),
        ({"proxy-url": "socks5://p:1"}, 'proxy-url of cluster "c": SOCKS proxies are not supported here'),
        ({"certificate-authority": "nosuch"}, "unable to read certificate-authority of c: /"),
        (
            {"certificate-authority": "f", "certificate-authority-data": "YQ=="},
            "certificate-authority-data and certificate-authority are both specified for c",
        ),
        ({"server": ""}, 'no server found for cluster "c"'),
        ({"server": "https://u:p/@10.0.0.1"}, 'host must be a URL or a host:port pair: "...@10.0.0.1"'),
        ({"server": "ftp://10.0.0.1"}, 'unsupported protocol scheme "ftp"'),
        ({"server": "https://10.0.0.1:port"}, "host must be a URL or a host:port pair"),
    ],
)
def test_clusters_that_cannot_be_used(
    cluster: dict[str, Any], message: str, environ: dict[str, str], kubeconfig: WriteConfig
) -> None:
    kubeconfig(cluster)
    assert failure(ConnectionFlags(), environ).message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "yaml: line 2: "),
        ("a: b: c", "yaml: line 1: mapping values are not allowed"),
        ("[]", "the document: expected a mapping, found a list"),
        ("clusters: 3", "clusters: expected a list, found a number"),
        ("clusters: [{name: c, cluster: 3}]", "clusters[0].cluster: expected a mapping, found a number"),
        ("users: [{name: u, user: {token: 123}}]", "users[0].user.token: expected a string, found a number"),
        ("users: [{name: u, user: {as-groups: x}}]", "users[0].user.as-groups: expected a list of strings"),
        (
            'clusters: [{name: c, cluster: {insecure-skip-tls-verify: "true"}}]',
            "clusters[0].cluster.insecure-skip-tls-verify: expected a boolean, found a string",
        ),
        ("users: [{name: u, user: {exec: {env: 3}}}]", "users[0].user.exec.env: expected a list"),
        (
            'clusters: [{name: c, cluster: {certificate-authority-data: "%%"}}]',
            "clusters[0].cluster.certificate-authority-data: illegal base64 data",
        ),
        ("contexts: [{name: c}, {name: c}]", 'contexts: duplicate name "c" in list'),
        ("apiVersion: v2", 'no kind "Config" is registered for version "v2"'),
        ("kind: Pod", 'no kind "Pod" is registered for version "v1"'),
        ("current-context: 5", "current-context: expected a string, found a number"),
        ('{"current-context": "\\ud800"}', "yaml: it holds half a character"),
        ("x: !!int ''", "yaml: "),
    ],
)
def test_files_that_cannot_be_read(text: str, message: str, environ: dict[str, str], tmp_path: Path) -> None:
    """The message names the file and the field; what kubectl refuses is refused."""
    path = tmp_path / "bad"
    path.write_text(text)
    error = failure(ConnectionFlags(kubeconfig=str(path)), environ)
    assert error.message.startswith(f'error loading config file "{path}": {message}')


def test_a_directory_or_bytes_that_are_no_text(environ: dict[str, str], tmp_path: Path) -> None:
    error = failure(ConnectionFlags(kubeconfig=str(tmp_path)), environ)
    assert error.message == f'error loading config file "{tmp_path}": is a directory'
    path = tmp_path / "bad"
    path.write_bytes(b"\xff\xfe\x00")
    assert "truncated data" in failure(ConnectionFlags(kubeconfig=str(path)), environ).message
    path.write_bytes(b"\xe9")
    assert "utf-8" in failure(ConnectionFlags(kubeconfig=str(path)), environ).message


def test_oddities_that_kubectl_takes(environ: dict[str, str], tmp_path: Path) -> None:
    """Unknown fields, nulls, a date as a name, JSON with tabs, a second document."""
    path = tmp_path / "config"
    path.write_text(
        "clusters: [{name: 2020-01-01, cluster: {server: 'https://10.0.0.1', later: {}}}]\n"
        "users: null\ncontexts: [{name: x, context: {cluster: 2020-01-01, user: null}}]\n"
        "current-context: x\npreferences: {}\n---\ncurrent-context: y\n"
    )
    assert resolve(ConnectionFlags(kubeconfig=str(path)), environ).cluster == "2020-01-01"
    document = {"clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1"}}]}
    path.write_text(json.dumps(document, indent="\t"))
    assert resolve(ConnectionFlags(kubeconfig=str(path), cluster="c"), environ).server == "https://10.0.0.1"


def test_credentials_are_for_tls_only_and_impersonation_is_for_ever(
    environ: dict[str, str], kubeconfig: WriteConfig
) -> None:
    """kubectl sends no token over plain HTTP, but it does send whom to act as; we must never drop that."""
    kubeconfig({"server": "http://127.0.0.1:1"}, {"token": "t", "as": "me"})
    config = resolve(ConnectionFlags(), environ)
    assert config.auth.token == ""
    assert config.impersonation.user == "me"


def test_a_plugin_is_only_for_users_without_other_credentials(
    environ: dict[str, str], kubeconfig: WriteConfig
) -> None:
    plugin = {"command": "./plugin", "apiVersion": "client.authentication.k8s.io/v1beta1"}
    path = kubeconfig(user={"exec": plugin})
    found = resolve(ConnectionFlags(), environ).auth.plugin
    assert found is not None
    assert (found.command, found.interactive_mode) == (str(path.parent / "plugin"), "IfAvailable")
    assert resolve(ConnectionFlags(token="t"), environ).auth.plugin is None


def test_nothing_is_configured(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    """kubectl tries localhost:8080 and is refused; we say what is missing."""
    error = failure(ConnectionFlags(), environ)
    assert error.message.startswith("no cluster is configured: no kubeconfig with a context was found (/")
    assert error.hint == "set KUBECONFIG, or give --kubeconfig or --server"
    assert "empty KUBECONFIG" in failure(ConnectionFlags(), {**environ, "KUBECONFIG": ":"}).message
    path = kubeconfig()
    path.write_text(path.read_text().replace("current-context: x", ""))
    assert failure(ConnectionFlags(), environ).message.startswith("no context is selected")
    assert resolve(ConnectionFlags(server="https://10.0.0.1"), environ).server == "https://10.0.0.1"


def test_a_context_whose_user_or_cluster_is_missing(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    """kubectl would ask for a password or try localhost; both are certainly not meant."""
    kubeconfig(context={"user": "nosuch"})
    assert failure(ConnectionFlags(), environ).message == 'auth info "nosuch" (of context "x") does not exist'
    assert resolve(ConnectionFlags(token="t"), environ).auth.token == "t"
    kubeconfig(context={"cluster": "nosuch"})
    assert failure(ConnectionFlags(), environ).message == 'cluster "nosuch" (of context "x") does not exist'


@pytest.mark.parametrize(
    ("text", "tls", "url"),
    [
        ("https://host", False, "https://host"),
        ("https://host:1/k8s/clusters/c-1/", False, "https://host:1/k8s/clusters/c-1"),
        ("host:8080", False, "http://host:8080"),
        ("host:6443", True, "https://host:6443"),
        ("[::1]:6443", True, "https://[::1]:6443"),
    ],
)
def test_addresses(text: str, tls: bool, url: str) -> None:
    assert server(text, tls=tls).url == url


# --- in a pod ---


@pytest.fixture
def pod(environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment and the files of a pod with a service account."""
    directory = tmp_path / "serviceaccount"
    directory.mkdir()
    for name, text in (("token", "pod-token\n"), ("ca.crt", "ca"), ("namespace", "pod-namespace\n")):
        (directory / name).write_text(text)
    monkeypatch.setattr("rollupdate.cluster.incluster.DIRECTORY", directory)
    return {**environ, "KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}


def test_in_a_pod_without_a_kubeconfig(pod: dict[str, str], tmp_path: Path) -> None:
    config = resolve(ConnectionFlags(as_user="me"), pod)
    assert (config.server, config.namespace) == ("https://[fd00::1]:443", "pod-namespace")
    assert config.auth.token_file == str(tmp_path / "serviceaccount" / "token")
    assert config.tls.authority.file == str(tmp_path / "serviceaccount" / "ca.crt")
    assert config.impersonation.user == "me"
    assert resolve(ConnectionFlags(namespace="n"), pod).namespace == "n"
    assert resolve(ConnectionFlags(token="t"), pod).auth.token_file == ""


def test_in_a_pod_with_a_kubeconfig(pod: dict[str, str], kubeconfig: WriteConfig) -> None:
    """The kubeconfig wins; where it names no namespace, kubectl still takes the pod's."""
    kubeconfig()
    config = resolve(ConnectionFlags(), pod)
    assert (config.server, config.namespace) == ("https://127.0.0.1:1", "pod-namespace")
    kubeconfig(context={"namespace": "there"})
    assert resolve(ConnectionFlags(), pod).namespace == "there"


# --- beside kubectl itself ---


@pytest.mark.parametrize(
    "given", [{}, {"context": "x"}, {"context": "second"}, {"kubeconfig": "two/config"}], ids=str
)
def test_kubectl_comes_to_the_same(
    two_files: dict[str, str],
    given: dict[str, Any],
    tmp_path: Path,
    each_kubectl: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`kubectl config view --minify --flatten` names the same server, user and namespace."""
    (tmp_path / "one" / "ca.crt").write_text("one")
    (tmp_path / "two" / "certificates" / "ca.crt").write_text("two")
    shown = subprocess.run(
        [
            *(each_kubectl, "config", "view", "--minify", "--raw", "--flatten", "-o", "json"),
            *(f"--{flag}={value}" for flag, value in given.items()),
        ],
        env={**os.environ, **two_files},
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=120,
    )
    theirs = json.loads(shown.stdout)
    monkeypatch.chdir(tmp_path)
    ours = resolve(ConnectionFlags(**given), two_files)
    cluster, user = theirs["clusters"][0]["cluster"], theirs["users"][0]["user"]
    assert ours.server == cluster["server"]
    assert base64.b64encode(ours.tls.authority.read("ca")).decode() == cluster["certificate-authority-data"]
    assert ours.auth.token == user.get("token", "")
    assert bool(ours.auth.token_file) == ("tokenFile" in user)
    assert ours.namespace == theirs["contexts"][0]["context"].get("namespace", "default")


def test_no_secret_in_a_repr(environ: dict[str, str], kubeconfig: WriteConfig) -> None:
    kubeconfig(user={"token": "s3cret", "client-certificate-data": "czNjcmV0", "client-key-data": "czNjcmV0"})
    config = resolve(ConnectionFlags(token="s3cret"), environ)
    assert isinstance(config, ConnectionConfig)
    assert "s3cret" not in repr(config) + repr(ConnectionFlags(token="s3cret"))
