"""The shape of a Kubernetes object, and of its parts, as JSON gives it."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
