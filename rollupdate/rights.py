"""The rights that each kind of command needs in its namespace, in the words of RBAC: data, and no more.

The Role that ``--print-rbac`` writes (``report.rbac``) and what is asked of the server before a migration
(``engine.rights``) are read from the same rules, so that they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Right(NamedTuple):
    """One verb on one kind of object."""

    group: str
    """Of the API; the core has none."""
    resource: str
    verb: str

    @property
    def object(self) -> str:
        """As kubectl writes it: ``deployments.apps``."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


class Rule(NamedTuple):
    """A rule of a Role. Without ``why`` it goes with the one before it."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    why: str = ""
    """What it is for: the comment over it."""
    optional: bool = False
    """A command without it says less, or warns, and does its work."""
    suggested: bool = False
    """In a comment: some clusters need it, or it is only for a better message."""

    @property
    def rights(self) -> Iterator[Right]:
        for resource in self.resources:
            for verb in self.verbs:
                yield Right(self.group, resource, verb)


def needed(rules: Iterable[Rule]) -> tuple[Right, ...]:
    """Those that a command cannot do without."""
    return tuple(right for rule in rules if not (rule.optional or rule.suggested) for right in rule.rights)


_CORE, _APPS, _POLICY = "", "apps", "policy"
_CONTROLLERS, _PODS = ("replicationcontrollers",), ("pods",)
_REVISIONS, _AUTOSCALERS = ("controllerrevisions",), ("horizontalpodautoscalers",)
_LOOK, _FOLLOW = ("get", "list"), ("get", "list", "watch")
_LIST = ("list",)

# --- what several commands need ---

_UPDATED = Rule(_CORE, _CONTROLLERS, (*_FOLLOW, "create", "patch", "delete"))
_ROLLED_BACK = Rule(_CORE, _CONTROLLERS, (*_FOLLOW, "patch", "delete"))
_WATCHED = Rule(_CORE, _CONTROLLERS, _FOLLOW)
_MOVED = Rule(
    _CORE,
    _PODS,
    ("list", "patch"),
    "to move the pods to the controller that keeps its name, in every update: without these rights the pods "
    "are released and adopted instead, and have no owner for moments; to label the pods, in the first "
    "update; list: to say why an update stalls, and to see what the pods run",
)
_OPENSHIFT = (
    Rule(
        _CORE,
        _PODS,
        ("delete",),
        "Where the admission plugin OwnerReferencesPermissionEnforcement is on (OpenShift), moving pods "
        "needs two more:",
        suggested=True,
    ),
    Rule(_CORE, ("replicationcontrollers/finalizers",), ("update",), suggested=True),
)
EVICTED = Rule(
    _CORE,
    ("pods/eviction",),
    ("create",),
    "to evict pods instead of deleting them (--evict), which needs the rights to list and to patch pods, too",
)
_EVICTED = (
    EVICTED,
    Rule(
        _CORE,
        ("nodes",),
        _LIST,
        "Nodes are in no namespace. A ClusterRole with this rule lets pods on cordoned nodes go first:",
        suggested=True,
    ),
)
_STALLS = (
    Rule(_CORE, ("events",), _LIST, "to say why an update stalls", optional=True),
    Rule(_CORE, ("pods/log",), ("get",), "for the last log lines of a crashing container", optional=True),
)
_BUDGETS = Rule(
    _POLICY,
    ("poddisruptionbudgets",),
    _LIST,
    "to warn of a budget that requires more pods than the update keeps, or to refuse an update by which it "
    "would lose its pods",
    optional=True,
)
_REFERRING = (
    Rule(
        _CORE,
        ("services",),
        _LIST,
        "to refuse an update by which a Service, a NetworkPolicy or a HorizontalPodAutoscaler would lose "
        "its pods or its target, and to name an autoscaler that changes sizes meanwhile; without it an "
        "update warns, and goes on",
        optional=True,
    ),
    Rule("networking.k8s.io", ("networkpolicies",), _LIST, optional=True),
    Rule("autoscaling", _AUTOSCALERS, _LIST, optional=True),
)
_CONTEST = Rule(
    "autoscaling", _AUTOSCALERS, _LIST, "to name an autoscaler that changes sizes meanwhile", optional=True
)
_QUOTAS = Rule(
    _CORE,
    ("resourcequotas",),
    _LIST,
    "to go on within seconds once a quota that was full has room, and to say so",
    optional=True,
)
_ROOM = Rule(
    _CORE,
    ("resourcequotas", "limitranges"),
    _LIST,
    "to say beforehand whether the new pods fit into the quotas, to refuse an update whose pods never will, "
    "and to go on within seconds once a quota that was full has room",
    optional=True,
)
CREATE_PODS = Right(_CORE, "pods", "create")
"""No command needs it. A client that has it anyway asks the server about one new pod, by a dry run."""
_MISSING = (
    Rule(
        _APPS,
        ("deployments", "statefulsets", "daemonsets"),
        ("get",),
        "To say what else has the name if there is no such ReplicationController, and that a namespace is "
        "being deleted:",
        suggested=True,
    ),
    Rule(_CORE, ("namespaces",), ("get",), suggested=True),
)
_ADOPTERS = Rule(
    _APPS,
    ("replicasets",),
    _LIST,
    "to see which ReplicaSets would adopt pods that cannot be moved",
    optional=True,
)
_KEPT = Rule(
    _APPS,
    _REVISIONS,
    ("list", "create", "update", "delete"),
    "to keep revisions, for --history and --rollback --to-revision; without it an update warns, and "
    "completes",
    optional=True,
)
_RUN = Rule(_CORE, _PODS, _LIST, "to see what the pods run", optional=True)

# --- the commands ---

UPDATE = (
    _UPDATED,
    _MOVED,
    *_OPENSHIFT,
    *_STALLS,
    _BUDGETS,
    *_REFERRING,
    _ROOM,
    *_MISSING,
    _ADOPTERS,
    _KEPT,
)
"""With its rollback."""

ROLLBACK = (
    _ROLLED_BACK,
    _MOVED,
    *_OPENSHIFT,
    *_STALLS,
    _CONTEST,
    _QUOTAS,
    *_MISSING,
    _ADOPTERS,
    _KEPT._replace(why="to keep revisions; without it a rollback warns, and completes"),
)
UNDO = (
    *UPDATE[:-1],
    _KEPT._replace(why="to find the revision to go to, and to keep the others", optional=False),
)
"""A finished update is undone: an update to a revision."""

DRY_RUN = (
    _WATCHED,
    Rule(_CORE, _PODS, _LIST),
    Rule(_APPS, _REVISIONS, _LIST),
    _REFERRING[0]._replace(
        why="to say whether the update would be refused for what selects the pods or names the controller"
    ),
    _BUDGETS._replace(why=""),
    *_REFERRING[1:],
    _ROOM._replace(why="to say whether the new pods fit into the quotas"),
)
"""Of an update, by the client alone. Enough for a look at the history, too."""

STATUS = (
    Rule(_CORE, _CONTROLLERS, _LOOK),
    _RUN._replace(why="to see what the pods run, and why an update stalls"),
    *_STALLS,
    Rule(_CORE, ("resourcequotas",), _LIST, "to say that a quota is full", optional=True),
    *_MISSING,
)
FOLLOWED = (_WATCHED, *STATUS[1:])
"""A status that is watched."""

HISTORY = (
    Rule(_CORE, _CONTROLLERS, ("get",)),
    Rule(_APPS, _REVISIONS, _LIST),
    _RUN,
    *_MISSING,
)

_OBJECTS = ("get", "list", "create", "patch", "delete")
_LOOKS = (
    Rule(
        _CORE,
        ("services",),
        _LIST,
        "to refuse a migration by which a Service, a NetworkPolicy or a PodDisruptionBudget would lose pods",
        optional=True,
    ),
    Rule("networking.k8s.io", ("networkpolicies",), _LIST, optional=True),
    Rule(_POLICY, ("poddisruptionbudgets",), _LIST, optional=True),
)
_SCALED = Rule(
    "autoscaling",
    _AUTOSCALERS,
    ("list", "patch"),
    "to point a HorizontalPodAutoscaler at what has the pods; needed where one names the controller or the "
    "Deployment, else",
    optional=True,
)
POINT = Right("autoscaling", _AUTOSCALERS[0], "patch")
"""What a migration needs besides where an autoscaler names what is moved."""

MIGRATION = (
    Rule(
        _CORE,
        _CONTROLLERS,
        _OBJECTS,
        "the controller, which is emptied and deleted, or made; list: to see what else selects the pods",
    ),
    Rule(_CORE, _PODS, ("list", "patch"), "to move the pods from owner to owner"),
    Rule(_APPS, ("replicasets",), _OBJECTS, "the ReplicaSet with the pods, and those of older revisions"),
    Rule(_APPS, ("deployments",), ("get", "create", "patch", "delete"), "the Deployment"),
    Rule(
        _APPS,
        _REVISIONS,
        ("list", "create"),
        "the revisions of the controller, which become those of the Deployment, and come back",
    ),
    Rule(
        _APPS,
        ("deployments",),
        _LIST,
        "to refuse where another Deployment selects the pods as well",
        optional=True,
    ),
    _SCALED,
    *_LOOKS,
    Rule(
        _CORE,
        _PODS,
        ("delete",),
        "Where the admission plugin OwnerReferencesPermissionEnforcement is on (OpenShift), moving pods "
        "needs three more:",
        suggested=True,
    ),
    Rule(_CORE, ("replicationcontrollers/finalizers",), ("update",), suggested=True),
    Rule(_APPS, ("replicasets/finalizers", "deployments/finalizers"), ("update",), suggested=True),
)
"""There and back, and from the middle: whoever moves pods must be able to go back."""

_CONFIG = Rule(
    "apps.openshift.io",
    ("deploymentconfigs",),
    ("get", "list", "patch"),
    "the DeploymentConfig, which is paused and told to have no pods, and given back; list: to say that the "
    "cluster knows no such kind",
)
_ENFORCED = (
    Rule(_CORE, _PODS, ("delete",), "OpenShift asks for these where an owner changes"),
    Rule(_CORE, ("replicationcontrollers/finalizers",), ("update",)),
    Rule(_APPS, ("replicasets/finalizers", "deployments/finalizers"), ("update",)),
)


def migration_of_config(*, deletes: bool) -> tuple[Rule, ...]:
    """From a DeploymentConfig there and back. ``deletes``: that goes at the end of the way there."""
    config = _CONFIG._replace(verbs=(*_CONFIG.verbs, "delete")) if deletes else _CONFIG
    controllers, pods, sets, deployments, revisions, *optional = (
        rule for rule in MIGRATION if not rule.suggested
    )
    return (
        config,
        controllers._replace(
            verbs=("get", "list", "patch"),
            why="its controllers, one of which is emptied, or gets the pods again; list: to see what else "
            "selects the pods",
        ),
        pods,
        sets,
        deployments,
        revisions._replace(
            verbs=(*revisions.verbs, "delete"),
            why="the revisions of the Deployment, kept until its pods are back",
        ),
        *optional,
        *_ENFORCED,
    )


MIGRATION_DRY_RUN = (
    Rule(_CORE, _CONTROLLERS, _LOOK),
    Rule(_CORE, _PODS, _LIST),
    Rule(_APPS, ("replicasets",), _LOOK),
    Rule(_APPS, ("deployments",), ("get",)),
    Rule(_APPS, _REVISIONS, _LIST, "to show the revisions that go along", optional=True),
    MIGRATION[5],
    Rule("autoscaling", _AUTOSCALERS, _LIST, "to see which autoscaler names what is moved", optional=True),
    *_LOOKS,
)

CONFIG_DRY_RUN = (_CONFIG._replace(verbs=("get", "list"), why=""), *MIGRATION_DRY_RUN)

EVICTIONS = (*EVICTED.rights, *_MOVED.rights)
"""What the server is asked for before the first write of a run that evicts pods."""


def evicting(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Those of an update or a rollback that evicts pods."""
    moved = rules.index(_MOVED) + 1
    return (*rules[:moved], *_EVICTED, *rules[moved:])
