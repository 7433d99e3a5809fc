"""``--timeline``: a picture of what was, written by the command itself."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from tests.e2e.world import World
from tests.support.manifests import my_nginx


def test_a_picture_of_an_update_that_stopped_and_of_one_that_did_not(world: World, tmp_path: Path) -> None:
    """Refused where nothing can be written, before anything is done; then written both times."""
    world.have(my_nginx(replicas=2, labels={"deployment": "v1"}))
    before = world.versions()
    update = ["my-nginx", "next"]
    refused = world.run(*update, "--image=a", f"--timeline={tmp_path}/no/a.svg")
    assert (refused.status, refused.stdout) == (1, "")
    assert "cannot write there: No such file or directory; nothing was changed" in refused.stderr
    assert world.versions() == before
    picture = tmp_path / "a.svg"
    stopped = world.run(*update, "--image=nginx:missing", "--timeout=1s", f"--timeline={picture}")
    assert stopped.status == 3
    assert "stopped: timed out" in "".join(ElementTree.fromstring(picture.read_text()).itertext())
    assert world.run("my-nginx", "--rollback").status == 0
    ended = world.run(*update, "--image=nginx:1.9.1", f"--timeline={picture}")
    assert (ended.status, ended.stderr) == (0, "")
    text = "".join(ElementTree.fromstring(picture.read_text()).itertext())
    assert "my-nginx → next" in text
    assert "finished, after " in text
