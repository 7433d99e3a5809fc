"""The mirror: what it believes of what it hears, and how it keeps hearing."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from rollupdate.cluster import ConnectionFlags, connect
from rollupdate.cluster.api import ApiCluster
from rollupdate.cluster.mirror import WatchedMirror
from rollupdate.errors import ApiError, ClusterError, ConfigError
from testing.objects import Json
from tests.cluster.servers import (
    Answer,
    ApiServer,
    Authority,
    Request,
    controller,
    event,
    listing,
    serving,
    status,
)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of seconds are waits of hundredths here."""
    for name, value in (
        ("pauses.FIRST", 0.01),
        ("pauses.LONGEST", 0.05),
        ("cluster.watch._SHORT", 0.05),
        ("cluster.direct.FIRST", 3600.0),  # what a watch of these tests tells need not be there to read
    ):
        monkeypatch.setattr(f"rollupdate.{name}", value)


class World:
    """One name on a server: what a list finds, and a stream of lines for each watch."""

    def __init__(self, *items: Json, version: int = 10) -> None:
        self.items, self.version = list(items), version
        self.lists = self.gets = 0
        self.watches: queue.Queue[Request] = queue.Queue()
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.instead: list[Answer] = []
        """Answers to the next watches, in place of a stream."""

    def __call__(self, request: Request) -> Answer | Json | None:
        if request.watching:
            self.watches.put(request)
            if self.instead:
                return self.instead.pop(0)
            return Answer(iter(self.lines.get, None))
        if request.path.endswith("/replicationcontrollers"):
            self.lists += 1
            return listing(*self.items, version=self.version)
        self.gets += 1
        found = [each for each in self.items if each["metadata"]["name"] == request.path.rpartition("/")[2]]
        return found[0] if found else None

    def say(self, kind: str, obj: Json) -> None:
        self.lines.put(event(kind, obj))

    def hang_up(self) -> None:
        self.lines.put(None)

    def watched(self) -> Request:
        """The next watch that was started."""
        return self.watches.get(timeout=60)


@pytest.fixture
def follow(environ: dict[str, str]) -> Iterator[Callable[..., WatchedMirror]]:
    """Start a server for a world and a mirror of ``web`` (or of other names) on it."""
    closing: list[Callable[[], None]] = []

    def start(world: Callable[[Request], Any], *names: str, poll_interval: float = 60.0) -> WatchedMirror:
        server = ApiServer(world, None, 0)
        closing.append(server.stop)
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        mirror = cluster.mirror(names or ("web",), poll_interval=poll_interval)
        closing.append(mirror.close)
        return mirror

    yield start
    for close in reversed(closing):
        close()


Follow = Callable[..., WatchedMirror]


def version_of(obj: Json | None) -> str:
    assert obj is not None
    return str(obj["metadata"]["resourceVersion"])


def eventually(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


# --- the normal course ---


def test_what_is_there_is_known_from_the_start(follow: Follow) -> None:
    """And the watch goes on from the list, for that one name, with bookmarks and a limit in time."""
    world = World(controller())
    mirror = follow(world)
    assert mirror.get("web") == controller()
    assert mirror.get("other") is None
    assert not mirror.wait(0.02)
    query = world.watched().query
    assert 300 <= int(query.pop("timeoutSeconds")) <= 600
    assert query == {
        "watch": "true",
        "fieldSelector": "metadata.name=web",
        "allowWatchBookmarks": "true",
        "resourceVersion": "10",
    }


def test_news_ends_the_wait(follow: Follow) -> None:
    world = World(controller())
    mirror = follow(world)
    threading.Timer(0.05, world.say, ("MODIFIED", controller(version=11, replicas=3))).start()
    started = time.monotonic()
    assert mirror.wait(60)
    assert time.monotonic() - started < 30
    assert mirror.get("web") == controller(version=11, replicas=3)
    assert not mirror.wait(0.02)


def test_news_that_came_before_the_wait_is_not_lost(follow: Follow) -> None:
    world = World(controller())
    mirror = follow(world)
    world.say("MODIFIED", controller(version=11))
    eventually(lambda: mirror._entries["web"].changes == 2)
    assert mirror.wait(0)
    world.say("MODIFIED", controller(version=12))
    eventually(lambda: version_of(mirror.get("web")) == "12")
    assert not mirror.wait(0)


def test_two_names_have_a_watch_each(follow: Follow) -> None:
    world = World(controller("new", uid="u2"))
    mirror = follow(world, "web", "new", "web")
    assert mirror.get("web") is None
    assert version_of(mirror.get("new")) == "5"
    selectors = {world.watched().query["fieldSelector"] for _ in range(2)}
    assert selectors == {"metadata.name=web", "metadata.name=new"}


def test_creation_and_deletion(follow: Follow) -> None:
    """A deletion is for good: late news of that uid is ignored, a new object of the name is not."""
    world = World()
    mirror = follow(world)
    world.say("ADDED", controller(version=11))
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "11"
    world.say("DELETED", controller(version=12))
    assert mirror.wait(60)
    assert mirror.get("web") is None
    world.say("MODIFIED", controller(version=13))
    world.say("ADDED", controller(uid="u2", version=14))
    assert mirror.wait(60)
    assert mirror.get("web") == controller(uid="u2", version=14)
    world.say("DELETED", controller(version=12))
    assert not mirror.wait(0.05)
    assert mirror.get("web") is not None


# --- what is newer ---


def test_an_answer_to_a_write_is_known_at_once_and_its_echo_is_no_news(follow: Follow) -> None:
    world = World(controller())
    mirror = follow(world)
    mirror.put(controller(version=20, replicas=1))
    assert version_of(mirror.get("web")) == "20"
    for late in (15, 20):
        world.say("MODIFIED", controller(version=late))
    assert not mirror.wait(0.05)
    assert mirror.get("web") == controller(version=20, replicas=1)
    mirror.put(controller(version=19))
    assert version_of(mirror.get("web")) == "20"


def test_versions_are_compared_as_numbers(follow: Follow) -> None:
    world = World(controller(version=9))
    mirror = follow(world)
    mirror.put(controller(version=10))
    assert version_of(mirror.get("web")) == "10"


def test_versions_that_are_no_numbers_come_in_the_order_of_the_server(follow: Follow) -> None:
    mirror = follow(World(controller(version="b")))
    mirror.put(controller(version="a"))
    assert version_of(mirror.get("web")) == "a"


def test_what_we_deleted_is_gone_until_the_server_says_otherwise(follow: Follow) -> None:
    """Late news from before does not bring it back; a finalizer that keeps it is news from after."""
    world = World(controller())
    mirror = follow(world)
    mirror.put(controller(version=20))
    mirror.forget("web", "someone-else")
    assert mirror.get("web") is not None
    mirror.forget("web", "u1")
    assert mirror.get("web") is None
    world.say("MODIFIED", controller(version=15))
    world.say("MODIFIED", controller(version=20))
    assert not mirror.wait(0.05)
    world.say("MODIFIED", controller(version=21, kept="by a finalizer"))
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "21"
    mirror.forget("web", "u1")
    mirror.put(controller(uid="u2", version=22))
    world.say("DELETED", controller(version=23))
    assert not mirror.wait(0.05)
    assert mirror.get("web") == controller(uid="u2", version=22)


def test_refresh(follow: Follow) -> None:
    """A look at the server: newer is taken, older is not, and absence ends the object for good."""
    world = World(controller())
    mirror = follow(world)
    world.items = [controller(version=30)]
    assert version_of(mirror.refresh("web")) == "30"
    assert not mirror.wait(0)
    mirror.put(controller(version=40))
    assert version_of(mirror.refresh("web")) == "40"
    world.items = []
    assert mirror.refresh("web") is None
    assert mirror.get("web") is None
    world.say("MODIFIED", controller(version=41))
    assert not mirror.wait(0.05)
    assert mirror.get("web") is None
    assert mirror.refresh("unknown") is None


# --- keeping to hear ---


def test_a_stream_that_ends_is_taken_up_where_it_ended(follow: Follow) -> None:
    """No list in between: the version of the last event or bookmark will do."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    world.say("BOOKMARK", {"metadata": {"resourceVersion": "50"}})
    world.hang_up()
    assert world.watched().query["resourceVersion"] == "50"
    world.say("MODIFIED", controller(version=51))
    assert mirror.wait(60)
    world.hang_up()
    assert world.watched().query["resourceVersion"] == "51"
    assert world.lists == 1


@pytest.mark.parametrize(
    "trouble",
    [
        event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}),
        event("ERROR", {"kind": "Status", "code": 500, "message": "etcd"}),
        event("ERROR", {"kind": "Status", "reason": "Gone"}),
        b'{"type": "ERROR", "object": null}\n',
        b"nonsense\n",
        b"[]\n",
        b'"text"\n',
        b'{"type": "MODIFIED"}\n',
        b'{"type": "MODIFIED", "object": {"metadata": {"name": "web", "uid": 5, "resourceVersion": "7"}}}\n',
        b'{"type": "MODIFIED", "object": {"metadata": {"name": "web", "uid": "u1", "resourceVersion": 7}}}\n',
        b'{"type": "MODIFIED", "object": {"metadata": null}}\n',
        b"[" * 100_000 + b"\n",
        b"\xff\xfe\n",
    ],
)
def test_streams_that_go_wrong_lead_to_a_new_list(trouble: bytes, follow: Follow) -> None:
    """Too old, an error of the server, garbage: what is there now is listed, and watched from there."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    world.items, world.version = [controller(version=60)], 61
    world.lines.put(trouble)
    world.hang_up()
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "60"
    assert world.watched().query["resourceVersion"] == "61"


@pytest.mark.parametrize(
    "refusal",
    [status(410, "Expired"), status(500, "InternalError"), status(429, "TooManyRequests"), Answer(b"", 302)],
)
def test_watches_that_do_not_start(refusal: Answer, follow: Follow) -> None:
    world = World(controller())
    world.instead = [refusal, refusal]
    mirror = follow(world)
    world.say("MODIFIED", controller(version=70))
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "70"


def test_a_list_tells_of_what_was_missed(follow: Follow) -> None:
    """Also that an object is gone; but not of an object that we know to be newer than the list."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    world.items, world.version = [], 80
    world.lines.put(b"nonsense\n")
    world.hang_up()
    assert mirror.wait(60)
    assert mirror.get("web") is None
    world.watched()
    mirror.put(controller(uid="u2", version=90))
    world.lines.put(b"nonsense\n")
    world.hang_up()
    world.watched()
    assert version_of(mirror.get("web")) == "90"


def test_a_server_that_hangs_up_at_once_is_not_flooded(follow: Follow) -> None:
    world = World(controller())
    follow(world)
    for _ in range(1000):
        world.hang_up()
    time.sleep(0.3)
    assert world.watches.qsize() < 30


def test_a_silent_stream_is_given_up(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection may be dead without either side knowing: the object is listed and watched again."""
    monkeypatch.setattr("rollupdate.cluster.watch.SILENCE", 0.1)
    world = World(controller())
    mirror = follow(world)
    for _ in range(3):
        world.watched()
    assert not mirror.wait(0)
    world.items = [controller(version=95)]
    eventually(lambda: mirror.get("web") == controller(version=95))
    assert not world.gets


# --- watches that deliver nothing ---


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Direct looks come soon."""
    for name in ("FIRST", "SOON"):
        monkeypatch.setattr(f"rollupdate.cluster.direct.{name}", 0.01)


@pytest.mark.parametrize("headers", [True, False], ids=["accepted", "not even accepted"])
@pytest.mark.usefixtures("reads")
def test_a_watch_that_delivers_nothing_costs_a_read(headers: bool, follow: Follow) -> None:
    """Also of a deletion. A read finds what is waited for, long before the stream is given up."""
    world = World(controller())
    over = threading.Event()

    def serve(request: Request) -> Any:
        answer = world(request)
        if request.watching and not headers:
            over.wait(60)
        return answer

    mirror = follow(serve)
    world.watched()
    world.items = [controller(version=11)]
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "11"
    world.items = []
    assert mirror.wait(60)
    assert mirror.get("web") is None
    assert world.gets
    assert world.lists == 1
    over.set()


@pytest.mark.usefixtures("reads")
def test_nothing_is_read_unless_the_engine_waits(follow: Follow) -> None:
    """Between two waits it writes, or checks pods, and reads what it needs."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    time.sleep(0.05)  # many times the interval after which a read is due
    assert not world.gets
    mirror.wait(0.05)
    assert world.gets


@pytest.mark.usefixtures("reads")
def test_reads_become_rare_as_long_as_nothing_moves(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is twice the one before, up to the interval for polling; news begin anew."""
    world = World(controller())
    mirror = follow(world, poll_interval=60.0)
    looks = mirror._direct
    monkeypatch.setattr("rollupdate.cluster.direct.FIRST", 1.0)
    looks._longest = 3.0

    def pauses() -> list[float]:
        found = []
        for looks._reads in range(4):
            found.append(looks._pause())
        return found

    assert pauses() == [1.0, 2.0, 3.0, 3.0]
    looks._distrusted.add("web")
    monkeypatch.setattr("rollupdate.cluster.direct.SOON", 0.25)
    assert pauses() == [0.25, 0.5, 1.0, 2.0]
    looks.news()
    assert looks._reads == 0


@pytest.mark.usefixtures("reads")
def test_a_watch_is_trusted_again_once_it_delivers(follow: Follow) -> None:
    """Even if what it delivers is known by then."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    world.items = [controller(version=11)]
    assert mirror.wait(60)
    eventually(lambda: mirror._direct._distrusted == {"web"})
    world.say("MODIFIED", controller(version=11))
    eventually(lambda: not mirror._direct._distrusted)


@pytest.mark.usefixtures("reads")
def test_a_read_that_fails_is_not_the_end(follow: Follow) -> None:
    """The watch meets the same, and knows what is for good."""
    world = World(controller())
    refused = iter([status(500, "InternalError"), status(403, "Forbidden")])

    def serve(request: Request) -> Any:
        if not request.watching and not request.path.endswith("/replicationcontrollers"):
            return next(refused, None) or world(request)
        return world(request)

    mirror = follow(serve)
    world.watched()
    world.items = [controller(version=11)]
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "11"


@pytest.mark.usefixtures("reads")
def test_what_was_made_during_a_read_is_not_taken_for_gone(follow: Follow) -> None:
    """The read finds nothing under the name, and the answer to a creation is quicker."""
    world = World()
    asked, answer = threading.Event(), threading.Event()

    def serve(request: Request) -> Any:
        found = world(request)
        if not request.watching and not request.path.endswith("/replicationcontrollers"):
            asked.set()
            answer.wait(60)
        return found

    mirror = follow(serve)
    world.watched()
    waiting = threading.Thread(target=mirror.wait, args=(0.5,))
    waiting.start()
    assert asked.wait(60)
    world.items = [controller(version=20)]
    mirror.put(controller(version=20))
    answer.set()
    waiting.join(60)
    assert version_of(mirror.get("web")) == "20"


@pytest.mark.usefixtures("reads")
def test_an_event_comes_in_pieces(follow: Follow) -> None:
    world = World(controller())
    mirror = follow(world)
    line = event("MODIFIED", controller(version=11))
    for piece in (line[:7], line[7:40], line[40:] + event("MODIFIED", controller(version=12))[:-1], b"\n"):
        world.lines.put(piece)
        time.sleep(0.01)
    eventually(lambda: version_of(mirror.get("web")) == "12")


@pytest.mark.usefixtures("reads")
def test_an_event_without_end(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rollupdate.cluster.connection.LARGEST_LINE", 100_000)
    world = World(controller())
    follow(world)
    world.watched()
    for _ in range(4):
        world.lines.put(b"x" * 60_000)
    world.watched()


# --- without a watch ---


@pytest.mark.parametrize("code", [403, 405])
def test_watch_is_not_allowed(code: int, follow: Follow) -> None:
    """Then it is looked at every poll_interval, as long as that is allowed."""
    world = World(controller())
    world.instead = [status(code, "Forbidden")]
    mirror = follow(world, poll_interval=0.05)
    world.watched()
    world.items = [controller(version=11)]
    assert mirror.wait(60)
    assert version_of(mirror.get("web")) == "11"
    world.items = []
    assert mirror.wait(60)
    assert mirror.get("web") is None
    assert world.watches.empty()


def test_list_is_not_allowed_either(follow: Follow) -> None:
    """A role that names single objects allows just `get`."""
    world = World(controller())

    def answer(request: Request) -> Any:
        if request.path.endswith("/replicationcontrollers"):
            return status(403, "Forbidden", "cannot list")
        return world(request)

    mirror = follow(answer, poll_interval=0.05)
    assert mirror.get("web") == controller()
    world.items = [controller(version=11)]
    assert mirror.wait(60)


@pytest.mark.parametrize("code", [401, 403])
def test_nothing_is_allowed_any_more(code: int, follow: Follow) -> None:
    """That is what ``wait`` raises, again and again; what is known stays known."""
    world = World(controller())
    allowed = True

    def answer(request: Request) -> Any:
        return world(request) if allowed else status(code, "", "not any more")

    mirror = follow(answer, poll_interval=0.02)
    world.watched()
    allowed = False
    world.hang_up()
    for _ in range(2):
        with pytest.raises(ApiError, match="not any more"):
            mirror.wait(5)
    assert mirror.get("web") == controller()


def test_nothing_is_allowed_from_the_start(follow: Follow) -> None:
    with pytest.raises(ApiError, match="no way"):
        follow(lambda request: status(403, "Forbidden", "no way"))


def test_a_plugin_that_stops_working(environ: dict[str, str]) -> None:
    """Three failures in a row are for good; one may be a network that is away for a moment."""
    world = World(controller())
    with serving(world) as server:
        cluster = connect(ConnectionFlags(server=server.url), environ=environ)
        failing = 0

        def current() -> Any:
            nonlocal failing
            if failing:
                raise ConfigError(f"failure {failing}")
            return original()

        source = cluster._connection._source
        original = source.current
        source.current = current  # type: ignore[method-assign]
        mirror = cluster.mirror(["web"], poll_interval=60)
        world.watched()
        failing = 1
        world.hang_up()
        with pytest.raises(ConfigError, match="failure 1"):
            mirror.wait(5)
        mirror.close()


def test_a_bug_is_not_silent(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that dies without a word would leave the update waiting for ever."""
    world = World(controller())
    mirror = follow(world)
    world.watched()
    monkeypatch.setattr(mirror, "took", lambda name, obj: 1 / 0)
    world.say("MODIFIED", controller(version=11))
    with pytest.raises(ClusterError, match="watching web failed: ZeroDivisionError"):
        mirror.wait(5)


# --- the end ---


@pytest.mark.parametrize("secure", [False, True])
def test_close_is_prompt_and_ends_the_threads(
    secure: bool, environ: dict[str, str], authority: Authority, tmp_path: Any
) -> None:
    """In the middle of streams that say nothing."""
    world = World(controller())
    context = authority.server_context(tmp_path) if secure else None
    with serving(world, context=context) as server:
        flags = ConnectionFlags(server=server.url, insecure_skip_tls_verify=True)
        mirror = connect(flags, environ=environ).mirror(["a", "b", "c"], poll_interval=60)
        for _ in range(3):
            world.watched()
        time.sleep(0.05)
        started = time.monotonic()
        mirror.close()
        assert time.monotonic() - started < 30
        assert not any(watch._thread.is_alive() for watch in mirror._watches)
        for _ in range(3):
            world.hang_up()


def test_close_while_the_server_does_not_answer(environ: dict[str, str]) -> None:
    """A thread that is still waiting for the answer to its request does not hold anything up."""
    release = threading.Event()
    world = World(controller())

    def answer(request: Request) -> Any:
        if request.watching:
            world.watches.put(request)
            release.wait(60)
        return world(request)

    with serving(answer) as server:
        cluster: ApiCluster = connect(ConnectionFlags(server=server.url), environ=environ)
        mirror = cluster.mirror(["web"], poll_interval=60)
        world.watched()
        started = time.monotonic()
        mirror.close()
        assert time.monotonic() - started < 30
        assert all(watch._thread.daemon for watch in mirror._watches)
        release.set()
        world.hang_up()
        world.hang_up()


def test_a_server_that_is_away_for_a_while(environ: dict[str, str]) -> None:
    """It is asked again and again, and what happened meanwhile is learned."""
    world = World(controller())
    with serving(world) as server:
        port = server.port
        mirror = connect(ConnectionFlags(server=server.url), environ=environ).mirror(
            ["web"], poll_interval=60
        )
        world.watched()
    world.hang_up()
    time.sleep(0.1)
    assert mirror.get("web") == controller()
    later = World(controller(version=200), version=201)
    later.say("MODIFIED", controller(version=200))
    with serving(later, port=port):
        assert mirror.wait(60)
        assert version_of(mirror.get("web")) == "200"
        mirror.close()
