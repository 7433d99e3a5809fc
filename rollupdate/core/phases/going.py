"""A controller whose pods go by eviction: its size, and what of that the manager has counted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rollupdate.core.model.chosen import Evictions
from rollupdate.core.model.controller import Controller
from rollupdate.core.model.evictable import PodLook
from rollupdate.core.phases.eviction_memory import EvictionMemory
from rollupdate.core.phases.session import Context


@dataclass(frozen=True)
class Going:
    """A controller whose pods are evicted, or may be, with the last look at them."""

    controller: Controller
    look: PodLook | None

    @classmethod
    def of(cls, controller: Controller, context: Context) -> Going:
        looks = (look for look in context.snapshot.looks if look.uid == controller.uid)
        return cls(controller, next(looks, None))

    @property
    def chosen(self) -> Evictions:
        return self.controller.record.evicting or Evictions()

    @property
    def size(self) -> int:
        """Without what has gone. A pod that has died of itself is still asked for."""
        controller, look = self.controller, self.look
        if not controller.evicting or look is None:
            return controller.replicas
        left = controller.replicas - look.gone(self.chosen)
        return max(0, min(controller.replicas, max(left, look.left)))

    @property
    def largest(self) -> int:
        """The same where no list tells which of the chosen pods have gone: no smaller than it can be, so that
        the manager deletes none."""
        controller = self.controller
        left = max(controller.current, controller.replicas - len(self.chosen.pods))
        return min(controller.replicas, left)

    @property
    def listed(self) -> bool:
        """The list is of what the status speaks of, and nothing has been evicted since."""
        known = (self.controller.generation, self.controller.current)
        return self.look is not None and self.look.fresh and self.look.seen == known

    @property
    def counted(self) -> bool:
        """The manager knows what has gone."""
        look, controller = self.look, self.controller
        return self.listed and look is not None and controller.observed and controller.current == look.left

    def effective(self, memory: EvictionMemory) -> Controller:
        """The controller as it is at the least once all that has gone is counted. While it is known to be
        held it has no more pods than the list shows."""
        controller, look = self.controller, self.look
        if not controller.evicting or look is None:
            return controller
        uncounted = max(0, controller.current - look.left)
        return replace(
            controller,
            replicas=self.size,
            current=look.left,
            observed_generation=controller.generation
            if memory.knows_held(controller)
            else controller.observed_generation,
            ready=max(0, controller.ready - uncounted),
            status_available=max(0, controller.status_available - uncounted),
        )
