"""Command lines of deploy scripts and CI plugins that no longer fail: flags of kubectl 1.17, and of kubectl
today."""

from __future__ import annotations

import json

from tests.e2e.test_scenarios import assert_finished
from tests.e2e.world import World
from tests.support.manifests import my_nginx

IGNORED = "No effect on an update, and ignored: "


def test_a_script_with_flags_of_kubectl_1_17(world: World) -> None:
    """Flags that shaped an output, or the log: the update is made, and one line on standard error says which
    had no effect. Standard output is as without them."""
    world.have(my_nginx(replicas=1))
    flags = (
        "--record",
        "-a",
        "--no-headers",
        "--logtostderr=true",
        "--schema-cache-dir=/tmp/schema",
        "--output=",
    )
    ended = world.run("my-nginx", "--image=nginx:1.9.1", *flags)
    assert ended.status == 0, ended
    assert ended.stderr == f"{IGNORED}--record, --show-all, --no-headers, --logtostderr, --schema-cache-dir\n"
    assert ended.stdout.endswith('replicationcontroller "my-nginx" rolling updated\n')
    assert_finished(world, "my-nginx", "nginx:1.9.1", 1)


def test_a_wrapper_with_global_flags_of_kubectl(world: World) -> None:
    """It gives every kubectl the same flags. Those that say how to connect have their effect, and are in the
    commands that are printed; a password is in none of these, nor on the cluster."""
    world.have(my_nginx(replicas=1))
    flags = (
        "--cache-dir=/tmp/cache",
        "--match-server-version",
        "--disable-compression",
        "--warnings-as-errors",
    )
    ended = world.run("my-nginx", "--image=nginx:missing", *flags, "--timeout=1s")
    assert ended.status == 3, ended
    assert ended.stderr.startswith(f"{IGNORED}--cache-dir, --match-server-version\n")
    assert (
        "To roll back: kubectl rolling-update my-nginx --image=nginx:missing --cache-dir=/tmp/cache"
        in ended.stderr
    )
    back = world.run("my-nginx", "--rollback", *flags)
    assert back.status == 0, back
    refused = world.run(
        "my-nginx", "--image=nginx:1.9.1", "--username=me", "--password=s3cret", "--token=t0ken"
    )
    assert refused.status == 1
    assert "found [token basicAuth], only one is allowed" in refused.stderr
    everything = json.dumps([world.api.controllers(), world.api.pods()])
    assert "s3cret" not in refused.stdout + refused.stderr + everything


def test_the_status_of_warnings(world: World) -> None:
    """--warnings-as-errors: a server that warns of nothing changes no exit status."""
    world.have(my_nginx(replicas=1))
    ended = world.run("my-nginx", "--status", "--warnings-as-errors")
    assert (ended.status, ended.stderr) == (0, "")
