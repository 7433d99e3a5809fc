"""Faults of the network and of the API server: the update goes on and ends by itself."""

from __future__ import annotations

import sys
import threading

import pytest

from testing.chaos.arena import Arena, Site
from testing.chaos.stories import SECOND
from testing.chaos.storms import DEAF, TROUBLES, at_write, carry_out_storms, carry_out_troubles
from testing.controlplane.certificates import Authority
from testing.controlplane.plane import ControlPlane
from tests.chaos.test_process_kills import assert_none_failed
from tests.support.effort import examples

pytestmark = pytest.mark.sweep

WORKERS = 6
FIRST_SEED = 1008
SEEDS = examples(gate=6, long=200)
"""Each seed chooses a story; in process there are many more (``tests/engine/test_properties.py``)."""


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + SEEDS, WORKERS))
def test_seeded_weather_on_the_sandbox(sandbox_site: Site, first: int) -> None:
    """5 % each of reset, lost answer, 409, 429 and 500 for every request: finished and clean, by itself."""
    assert_none_failed(
        carry_out_storms(sandbox_site, range(first, min(first + WORKERS, FIRST_SEED + SEEDS)), WORKERS)
    )


def test_each_fault_by_itself(sandbox_site: Site) -> None:
    """Resets, lost, slow and half answers, 409, 429, 500, 503, watches cut and too old, the API away."""
    troubles = [each for each in TROUBLES if not each.slow]
    assert_none_failed(carry_out_troubles(sandbox_site, troubles, WORKERS))


@pytest.mark.realplane
def test_watches_that_deliver_nothing(real_site: Site) -> None:
    """A proxy that buffers them, with and without their headers: the update ends by itself."""
    assert_none_failed(carry_out_troubles(real_site, DEAF, WORKERS))


@pytest.mark.realplane
def test_the_api_server_is_restarted(real_site: Site, control_plane: ControlPlane) -> None:
    """Killed and started again in the middle of an update, which ends by itself."""
    with real_site.arena() as arena:
        SECOND.prepare(arena)
        restart = threading.Thread(
            target=control_plane.restart_apiserver, kwargs={"kill": True, "pause": 1.0}
        )
        at_write(arena, 3, restart.start)
        ended = arena.run(*SECOND.command(arena))
        restart.join(300)
        assert ended.status == 0, str(ended)
        SECOND.assert_ended(arena)


PLUGIN = """
import json, pathlib, sys
token = pathlib.Path(sys.argv[1]).read_text()
version = "client.authentication.k8s.io/v1"
print(json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": {"token": token}}))
"""


def test_a_token_expires_and_the_plugin_gives_another(arena: Arena) -> None:
    """After the third write the server answers 401 to it: the plugin is run again, the update goes on."""
    authority = Authority(arena.folder)
    pair = authority.server("proxy")
    arena.speak_tls(pair.certificate, pair.key, authority.path)
    token, plugin = arena.folder / "token", arena.folder / "plugin.py"
    token.write_text("first")
    plugin.write_text(PLUGIN)
    arena.user = {
        "exec": {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": sys.executable,
            "args": [str(plugin), str(token)],
            "interactiveMode": "Never",
        }
    }

    def expire() -> None:
        token.write_text("second")
        arena.proxy.stale_tokens.add("first")
        arena.proxy.end_connections()

    SECOND.prepare(arena)
    at_write(arena, 3, expire)
    ended = arena.run(*SECOND.command(arena))
    assert ended.status == 0, str(ended)
    assert "first" not in ended.stdout + ended.stderr
    SECOND.assert_ended(arena)
