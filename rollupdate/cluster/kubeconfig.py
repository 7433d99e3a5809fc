"""Which cluster, as whom, in which namespace: kubeconfig files and flags merged as kubectl merges them.

The rules are those of client-go's clientcmd: of several files the first one to name something wins, flags
come on top, and a pod's own service account is used where nothing else is configured. Files are read here,
nothing is connected to and no plugin is run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from rollupdate.cluster import incluster, oidc, proxies, servers
from rollupdate.cluster.schema import (
    AuthProvider,
    ClusterEntry,
    ContextEntry,
    Kubeconfig,
    UserEntry,
    load_file,
)
from rollupdate.cluster.settings import (
    Auth,
    ConnectionConfig,
    ConnectionFlags,
    ExecPlugin,
    Impersonation,
    Pem,
    Tls,
)
from rollupdate.errors import ConfigError
from rollupdate.objects import name_problem

_EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_REMOVED_PROVIDERS = {
    "gcp": 'use the credential plugin "gke-gcloud-auth-plugin" instead',
    "azure": 'use the credential plugin "kubelogin" instead',
}


def resolve(flags: ConnectionFlags, environ: Mapping[str, str]) -> ConnectionConfig:
    """Everything needed to connect. Raises ConfigError."""
    files = config_files(flags, environ)
    merged = merge(files, explicit=bool(flags.kubeconfig))
    context_name, context = _context(flags, merged)
    cluster_name = flags.cluster or context.cluster
    user_name = flags.user or context.user
    server = flags.server or merged.clusters.get(cluster_name, ClusterEntry()).server
    server = server or environ.get("KUBERNETES_MASTER", "")
    pod = incluster.service_account(environ)
    if pod is not None and not server:
        # As client-go: whatever a context says, without a server it is the cluster of the pod. A user of the
        # kubeconfig is then one of another cluster.
        server, cluster_name, user_name = pod.server, "", ""
        cluster = pod.cluster(_cluster(flags, Kubeconfig(), "", ""))
        user = pod.user(_user(flags, Kubeconfig(), "", ""))
    else:
        cluster = _cluster(flags, merged, cluster_name, context_name)
        user = _user(flags, merged, user_name, context_name)
        if not server:
            raise _no_server(files, merged, cluster_name, context_name)
    problems = [*_cluster_problems(cluster, cluster_name), *_user_problems(user, user_name)]
    if problems:
        raise ConfigError(
            problems[0] if len(problems) == 1 else "\n* ".join(["in configuration:", *problems])
        )
    if cluster.proxy_url:
        where = "--proxy-url" if flags.proxy_url else f'proxy-url of cluster "{cluster_name}"'
        proxies.check(cluster.proxy_url, where)
    namespace = flags.namespace or context.namespace or (pod.namespace if pod else "") or "default"
    problem = name_problem(namespace)
    if problem:
        raise ConfigError(f'invalid namespace "{namespace}": {problem}')
    found = servers.server(server, tls=bool(cluster.authority) or cluster.insecure)
    # client-go sends credentials over TLS only; whom to act as is no secret and must never get lost.
    auth = _auth(user) if found.url.startswith("https:") else Auth()
    if found.login is not None:  # Go's net/http puts it in place of all other
        login = found.login
        auth = Auth(
            username=login.username, password=login.password, certificate=auth.certificate, key=auth.key
        )
    return ConnectionConfig(
        server=found.url,
        server_as_given=server,
        namespace=namespace,
        tls=Tls(cluster.authority, cluster.insecure, cluster.tls_server_name),
        auth=auth,
        impersonation=Impersonation(user.as_user, user.as_groups, user.as_uid, user.as_extra),
        proxy_url=cluster.proxy_url,
        request_timeout=flags.request_timeout,
        compression=not cluster.disable_compression,
        exec_config=cluster.exec_config,
        context=context_name,
        cluster=cluster_name,
        user=user_name,
        stdin_taken=flags.stdin_taken,
    )


# --- files ---


def config_files(flags: ConnectionFlags, environ: Mapping[str, str]) -> list[str]:
    """The files to read, in order of precedence; they need not exist."""
    if flags.kubeconfig:
        return [flags.kubeconfig]
    named = environ.get("KUBECONFIG", "")
    if named:
        return list(dict.fromkeys(path for path in named.split(os.pathsep) if path))
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    return [str(Path(home) / ".kube" / "config")]


def merge(files: list[str], *, explicit: bool = False) -> Kubeconfig:
    """Of each name the first file's entry, whole. A file that is missing is only an error if ``explicit``."""
    current = ""
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    contexts: dict[str, ContextEntry] = {}
    for path in files:
        config = load_file(path)
        if config is None:
            if explicit:
                raise ConfigError(f"stat {path}: no such file or directory", hint="check --kubeconfig")
            continue
        current = current or config.current_context
        clusters = {**config.clusters, **clusters}
        users = {**config.users, **users}
        contexts = {**config.contexts, **contexts}
    return Kubeconfig(current, clusters, users, contexts)


# --- what is selected, with the flags on top ---


def _context(flags: ConnectionFlags, merged: Kubeconfig) -> tuple[str, ContextEntry]:
    name = flags.context or merged.current_context
    if not name:
        return "", ContextEntry()
    if name in merged.contexts:
        return name, merged.contexts[name]
    names = ", ".join(sorted(filter(None, merged.contexts))) or "none"
    hint = f"contexts there are: {names}"
    if flags.context:
        raise ConfigError(f'context "{name}" does not exist', hint=hint)
    raise ConfigError(f'current-context "{name}" does not exist', hint=f"{hint}; choose one with --context")


def _cluster(flags: ConnectionFlags, merged: Kubeconfig, name: str, context: str) -> ClusterEntry:
    cluster = merged.clusters.get(name)
    if cluster is None:
        if name and not flags.server:
            of_context = f' (of context "{context}")' if context and not flags.cluster else ""
            raise ConfigError(f'cluster "{name}"{of_context} does not exist')
        cluster = ClusterEntry()
    if flags.server or flags.tls_server_name:
        # Another address clears the server name of the kubeconfig, too: it belonged to the old address.
        cluster = replace(
            cluster, server=flags.server or cluster.server, tls_server_name=flags.tls_server_name
        )
    cluster = replace(
        cluster,
        proxy_url=flags.proxy_url or cluster.proxy_url,
        disable_compression=flags.disable_compression or cluster.disable_compression,
    )
    if flags.insecure_skip_tls_verify or flags.certificate_authority:
        cluster = replace(
            cluster,
            insecure=flags.insecure_skip_tls_verify,
            authority=Pem(file=_from_here(flags.certificate_authority)),
        )
    return cluster


def _user(flags: ConnectionFlags, merged: Kubeconfig, name: str, context: str) -> UserEntry:
    user = merged.users.get(name)
    if user is None:
        if name and not flags.token and not flags.client_certificate:
            of_context = f' (of context "{context}")' if context and not flags.user else ""
            raise ConfigError(f'auth info "{name}"{of_context} does not exist', hint="it names a user")
        user = UserEntry()
    if flags.token:
        user = replace(user, token=flags.token, token_file="", username="", password="")
    if flags.username or flags.password:
        user = replace(
            user, username=flags.username or user.username, password=flags.password or user.password
        )
    if flags.client_certificate:
        user = replace(user, certificate=Pem(file=_from_here(flags.client_certificate)))
    if flags.client_key:
        user = replace(user, key=Pem(file=_from_here(flags.client_key)))
    return replace(
        user,
        as_user=flags.as_user or user.as_user,
        as_groups=flags.as_groups or user.as_groups,
        as_uid=flags.as_uid or user.as_uid,
        as_extra=_extra(flags, user),
    )


def _extra(flags: ConnectionFlags, user: UserEntry) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """A key that flags have is theirs alone."""
    given: dict[str, tuple[str, ...]] = {}
    for key, value in flags.as_extra:
        given[key] = (*given.get(key, ()), value)
    return tuple({**dict(user.as_extra), **given}.items())


def _from_here(path: str) -> str:
    return os.path.abspath(path) if path else ""  # noqa: PTH100  # lexical, as Go's filepath


def _auth(user: UserEntry) -> Auth:
    # A plugin is only asked where nothing else says who we are (client-go's exec.UpdateTransportConfig).
    named = user.token or user.token_file or user.username
    return Auth(
        token=user.token,
        token_file=user.token_file,
        username=user.username,
        password=user.password,
        certificate=user.certificate,
        key=user.key,
        plugin=None if named or user.certificate else user.plugin,
        id_token=None if named or user.auth_provider is None else oidc.id_token(user.auth_provider),
    )


# --- what is wrong with it ---


def _no_server(files: list[str], merged: Kubeconfig, cluster: str, context: str) -> ConfigError:
    if cluster or (context and merged.contexts):
        return ConfigError(
            f'no server found for cluster "{cluster}"' if cluster else f'context "{context}" names no cluster'
        )
    if merged.contexts:
        names = ", ".join(sorted(filter(None, merged.contexts)))
        return ConfigError(
            "no context is selected: current-context is not set",
            hint=f"choose one with --context or `kubectl config use-context`; there are: {names}",
        )
    looked = ", ".join(files) or "an empty KUBECONFIG"
    return ConfigError(
        f"no cluster is configured: no kubeconfig with a context was found ({looked})",
        hint="set KUBECONFIG, or give --kubeconfig or --server",
    )


def _cluster_problems(cluster: ClusterEntry, name: str) -> list[str]:
    authority = cluster.authority
    if authority.data and authority.file:
        return [f"certificate-authority-data and certificate-authority are both specified for {name}"]
    problems = []
    if authority and cluster.insecure:
        problems.append("specifying a root certificates file with the insecure flag is not allowed")
    return problems + _unreadable(authority, "certificate-authority", name)


def _user_problems(user: UserEntry, name: str) -> list[str]:
    problems = []
    if user.token and (user.username or user.password):
        problems.append(
            f"more than one authentication method found for {name}; found [token basicAuth], only one is "
            "allowed"
        )
    elif user.token_file and (user.username or user.password):
        problems.append("username/password or bearer token may be set, but not both")
    for pem, what in ((user.certificate, "client-cert"), (user.key, "client-key")):
        if user.certificate and pem.data and pem.file:
            problems.append(f"{what}-data and {what} are both specified for {name}")
    if user.certificate:
        if not user.key:
            problems.append(
                f"client-key-data or client-key must be specified for {name} "
                "to use the clientCert authentication method"
            )
        problems += _unreadable(user.certificate, "client-cert", name)
        problems += _unreadable(user.key, "client-key", name)
    if user.token_file and not user.token:
        problems += _unreadable(Pem(file=user.token_file), "tokenFile", name)
    if user.auth_provider is not None:
        problems += _provider_problems(user, user.auth_provider, name)
    if user.plugin is not None:
        problems += _plugin_problems(user.plugin, name)
    if (user.as_groups or user.as_uid or user.as_extra) and not user.as_user:
        problems.append(f"requesting uid, groups or user-extra for {name} without impersonating a user")
    return problems


def _provider_problems(user: UserEntry, provider: AuthProvider, name: str) -> list[str]:
    if user.plugin is not None:
        return [f"authProvider cannot be provided in combination with an exec plugin for {name}"]
    if provider.name == oidc.NAME:
        return oidc.problems(provider, name)
    way = _REMOVED_PROVIDERS.get(provider.name, "use a credential plugin (exec) instead")
    return [
        f'the auth-provider "{provider.name}" of user "{name}" is not supported, nor is it by kubectl; {way}'
    ]


def _plugin_problems(plugin: ExecPlugin, name: str) -> list[str]:
    to_use = "to use exec authentication plugin"
    problems = []
    if not plugin.command:
        problems.append(f"command must be specified for {name} {to_use}")
    if not plugin.api_version:
        problems.append(f"apiVersion must be specified for {name} {to_use}")
    elif plugin.api_version not in _EXEC_VERSIONS:
        problems.append(
            f'exec plugin of {name}: invalid apiVersion "{plugin.api_version}", must be one of '
            + ", ".join(_EXEC_VERSIONS)
        )
    if any(not key for key, _ in plugin.environment):
        problems.append(f"env variable name must be specified for {name} {to_use}")
    if not plugin.interactive_mode:
        problems.append(f"interactiveMode must be specified for {name} {to_use}")
    elif plugin.interactive_mode not in ("Never", "IfAvailable", "Always"):
        problems.append(f'invalid interactiveMode for {name}: "{plugin.interactive_mode}"')
    return problems


def _unreadable(pem: Pem, what: str, name: str) -> list[str]:
    try:
        pem.read(f"{what} of {name}:")
    except ConfigError as error:
        return [error.message]
    return []
