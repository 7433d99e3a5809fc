"""What is used of the ``kubernetes`` package: its REST client, its errors, its keep-alive; no more is loaded.

``import kubernetes`` brings OAuth, websockets, an informer and, for the models, pydantic: a third of a second
and tens of MiB that a client of plain dicts has no use for. A module's parents are loaded before it, so they
are stood in for here while the modules that are wanted are imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec

_PARENTS = ("kubernetes", "kubernetes.utils")
"""Packages whose own ``__init__`` is not run."""


@contextmanager
def _places_only() -> Iterator[None]:
    """The parents as mere places where modules are found. Whoever imports them later gets them whole."""
    stood_in = []
    for name in _PARENTS:
        spec = None if name in sys.modules else find_spec(name)
        if spec is not None:
            sys.modules[name] = module_from_spec(spec)
            stood_in.append(name)
    try:
        yield
    finally:
        for name in stood_in:
            del sys.modules[name]


with _places_only():
    from kubernetes.client.exceptions import ApiException
    from kubernetes.client.rest import RESTClientObject
    from kubernetes.utils.keepalive import tcp_keepalive_socket_options

__all__ = ["ApiException", "RESTClientObject", "tcp_keepalive_socket_options"]
