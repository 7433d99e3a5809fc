"""Changes as the flags of a command line give them."""

from __future__ import annotations

from rollupdate.core.changes.edits import SetImage
from rollupdate.core.changes.template import TemplateChange


def image(name: str, container: str | None = None, pull_policy: str | None = None) -> TemplateChange:
    """``--image``, with ``--container`` and ``--image-pull-policy``."""
    return TemplateChange((SetImage(name, container, pull_policy),))
