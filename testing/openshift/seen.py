"""What was seen of a DeploymentConfig and of the ReplicationControllers beside it, to decide upon."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from testing.objects import Json
from testing.openshift import names

UNKNOWN_VERSION = -1
"""Of a controller that does not say which rollout it is."""


@dataclass(frozen=True)
class Config:
    """A DeploymentConfig. ``object`` is never changed."""

    object: Json

    @property
    def metadata(self) -> Json:
        found: Json = self.object["metadata"]
        return found

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def uid(self) -> str:
        return str(self.metadata["uid"])

    @property
    def is_being_deleted(self) -> bool:
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def spec(self) -> Json:
        found: Json = self.object["spec"]
        return found

    @property
    def status(self) -> Json:
        found: Json = self.object.get("status") or {}
        return found

    @property
    def template(self) -> Json:
        found: Json = self.spec.get("template") or {}
        return found

    @property
    def replicas(self) -> int:
        return int(self.spec.get("replicas") or 0)

    @property
    def history_limit(self) -> int | None:
        """None keeps all."""
        found = self.spec.get("revisionHistoryLimit")
        return None if found is None else int(found)

    @property
    def is_paused(self) -> bool:
        return bool(self.spec.get("paused"))

    @property
    def latest_version(self) -> int:
        return int(self.status.get("latestVersion") or 0)

    @property
    def is_initial(self) -> bool:
        """Whether nothing was rolled out yet."""
        return self.latest_version == 0

    @property
    def comes_to(self) -> str:
        """The phase at which its rollouts stop."""
        return str((self.metadata.get("annotations") or {}).get(names.COMES_TO, names.COMPLETE))

    def triggers(self, kind: str) -> list[Json]:
        """``null`` was made ConfigChange by the API server; an empty list stays one: nothing triggers."""
        return [trigger for trigger in self.spec.get("triggers") or () if trigger.get("type") == kind]

    @property
    def images(self) -> list[str]:
        return images_of(self.template)


@dataclass(frozen=True)
class Controller:
    """A ReplicationController, whose ever it is. ``object`` is never changed."""

    object: Json

    @property
    def metadata(self) -> Json:
        found: Json = self.object["metadata"]
        return found

    @property
    def name(self) -> str:
        return str(self.metadata["name"])

    @property
    def labels(self) -> dict[str, str]:
        return self.metadata.get("labels") or {}

    @property
    def annotations(self) -> dict[str, str]:
        return self.metadata.get("annotations") or {}

    @property
    def owners(self) -> list[Json]:
        return self.metadata.get("ownerReferences") or []

    @property
    def owner(self) -> str:
        """The uid of whoever controls it; empty for nobody."""
        return next((str(reference["uid"]) for reference in self.owners if reference.get("controller")), "")

    @property
    def is_being_deleted(self) -> bool:
        return bool(self.metadata.get("deletionTimestamp"))

    @property
    def version(self) -> int:
        """Of the rollout that it is."""
        try:
            return int(self.annotations.get(names.LATEST_VERSION, UNKNOWN_VERSION))
        except ValueError:
            return UNKNOWN_VERSION

    @property
    def phase(self) -> str:
        return self.annotations.get(names.PHASE, "")

    @property
    def is_terminated(self) -> bool:
        """Whether its rollout came to an end, either way."""
        return self.phase in (names.COMPLETE, names.FAILED)

    @property
    def is_cancelled(self) -> bool:
        return self.annotations.get(names.CANCELLED) == "true"

    @property
    def size(self) -> int:
        return int(self.object["spec"].get("replicas") or 0)

    def counted(self, field: str) -> int:
        """Of its status: ``replicas``, ``readyReplicas``, ``availableReplicas``."""
        return int((self.object.get("status") or {}).get(field) or 0)

    @property
    def images(self) -> list[str]:
        return images_of(self.object["spec"].get("template") or {})

    @cached_property
    def encoded_template(self) -> Any:
        """That of the config as it was rolled out. None where nobody can tell."""
        try:
            return json.loads(self.annotations[names.ENCODED])["spec"]["template"]
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True)
class Seen:
    """A config, and all ReplicationControllers of its namespace. ``now``: as the API writes times."""

    config: Config
    controllers: tuple[Controller, ...]
    now: str


def newest(controllers: tuple[Controller, ...]) -> Controller | None:
    """The one of the last rollout."""
    return max(controllers, key=lambda controller: controller.version, default=None)


def latest(config: Config, controllers: tuple[Controller, ...]) -> Controller | None:
    """The one of the rollout that the config says is the last; None until it is made."""
    found = newest(controllers)
    return found if found is not None and found.version == config.latest_version != 0 else None


def active(controllers: tuple[Controller, ...]) -> Controller | None:
    """The one of the last rollout that was complete: it has the pods."""
    return newest(tuple(each for each in controllers if each.phase == names.COMPLETE))


def images_of(template: Json) -> list[str]:
    containers = (template.get("spec") or {}).get("containers") or ()
    return [str(container.get("image") or "") for container in containers]
