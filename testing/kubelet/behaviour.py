"""What the containers of an image do, and how long it takes: said by tests, heeded by hollow kubelets."""

from __future__ import annotations

import argparse
import enum
import random
from dataclasses import dataclass

Delay = float | tuple[float, float]
"""Seconds; or the shortest and the longest, to be drawn from."""


def draw(delay: Delay, rng: random.Random) -> float:
    """Seconds."""
    return rng.uniform(*delay) if isinstance(delay, tuple) else delay


class Behaviour(enum.Enum):
    """What containers of an image do."""

    RUNS = "runs"
    PULL_FAILS = "pull-fails"
    REGISTRY_AWAY = "registry-away"
    BAD_NAME = "bad-name"
    CRASHES = "crashes"
    BAD_CONFIG = "bad-config"
    NO_VOLUME = "no-volume"
    NEVER_READY = "never-ready"
    UNSCHEDULABLE = "unschedulable"
    EVICTED = "evicted"
    REFUSED = "refused"
    """At admission. Only the sandbox does that: no kubelet is asked."""


@dataclass(frozen=True)
class Rule:
    """For images that contain ``substring``. ``ready_after`` overrides the kubelet's.

    ``recovers_after``: from that many failed attempts on it runs. ``exit_code`` and ``log`` are those of a
    crash; None is the usual log.
    """

    substring: str
    behaviour: Behaviour = Behaviour.RUNS
    ready_after: Delay | None = None
    recovers_after: int | None = None
    exit_code: int = 1
    log: str | None = None


DEFAULT_RULES = (
    Rule("missing", Behaviour.PULL_FAILS),
    Rule("unreachable", Behaviour.REGISTRY_AWAY),
    Rule("Misnamed", Behaviour.BAD_NAME),
    Rule("crashing", Behaviour.CRASHES),
    Rule("bad-config", Behaviour.BAD_CONFIG),
    Rule("no-volume", Behaviour.NO_VOLUME),
    Rule("never-ready", Behaviour.NEVER_READY),
    Rule("unschedulable", Behaviour.UNSCHEDULABLE),
    Rule("evicted", Behaviour.EVICTED),
    Rule("refused", Behaviour.REFUSED),
)


@dataclass(frozen=True)
class KubeletConfig:
    """Delays; the first rule that fits an image counts."""

    ready_after: Delay = 0.5
    terminate_after: Delay = 0.1
    schedule_after: Delay = 0.005
    rules: tuple[Rule, ...] = DEFAULT_RULES
    back_off: float = 1.0
    """The first delay between two attempts of what fails; doubles up to ``back_off_limit``."""
    back_off_limit: float = 60.0
    pressure: float = 60.0
    """How long the node takes no pods after it has evicted one."""
    normal_events: bool = False
    """Also write the events of pods that do well (Scheduled, Pulled, Created, Started)."""

    def rule(self, image: str) -> Rule:
        return next((rule for rule in self.rules if rule.substring in image), Rule(""))

    def behaviour(self, image: str, attempt: int = 0) -> Behaviour:
        """What its containers do after so many failed attempts."""
        rule = self.rule(image)
        recovered = rule.recovers_after is not None and attempt >= rule.recovers_after
        return Behaviour.RUNS if recovered else rule.behaviour

    def ready_delay(self, image: str) -> Delay:
        own = self.rule(image).ready_after
        return self.ready_after if own is None else own

    def printed(self, image: str) -> str:
        """What a container of that image has printed, in each of its runs."""
        rule = self.rule(image)
        if rule.behaviour is not Behaviour.CRASHES:
            return f"starting {image}\n"
        if rule.log is None:
            return f"starting {image}\nerror: cannot read /etc/settings: no such file\n"
        return rule.log


# For programs that run a cluster


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags by which whoever starts a cluster says how its pods behave."""
    parser.add_argument(
        "--ready-after", type=float, default=0.5, metavar="S", help="seconds until a pod is ready"
    )
    parser.add_argument(
        "--terminate-after", type=float, default=0.1, metavar="S", help="seconds a deletion takes"
    )
    parser.add_argument(
        "--rule",
        type=_rule,
        action="append",
        default=[],
        metavar="SUBSTRING=BEHAVIOUR",
        help=f"what images do that contain the text: {', '.join(b.value for b in Behaviour)}; repeatable",
    )


def from_arguments(given: argparse.Namespace, *, normal_events: bool = False) -> KubeletConfig:
    """What those flags say; their rules come before the usual ones."""
    return KubeletConfig(
        ready_after=given.ready_after,
        terminate_after=given.terminate_after,
        rules=(*given.rule, *DEFAULT_RULES),
        normal_events=normal_events,
    )


def _rule(text: str) -> Rule:
    substring, separator, behaviour = text.rpartition("=")
    if not separator or not substring:
        raise argparse.ArgumentTypeError(f"{text!r} is not SUBSTRING=BEHAVIOUR")
    try:
        return Rule(substring, Behaviour(behaviour))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
