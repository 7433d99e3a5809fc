"""Which tests count for the coverage of ``rollupdate/``: each story once.

Measuring takes as long again as the code that is measured, and a tenth of a second for each process. So it is
left out where nothing new is reached: in a ``sweep``, which runs the same code in many variations; on the
real control plane, where the stories are those of the sandbox; in what is ``built`` and runs from elsewhere;
in what is ``typed`` into a shell or given to kubectl, as its answers are tested without those; in a story
that is ``retold`` through the command, whose code ``tests/engine`` has measured in process; and in the tests
of the clusters themselves, which run nothing of it.

And where it does harm: a process that is ``interrupted`` may be holding a lock of coverage, which an
exception from a signal handler leaves locked for good.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import coverage
import pytest

from testing.command import MEASURED_BY

LEFT_OUT = ("sweep", "realplane", "typed", "retold", "built", "interrupted")
OF_CLUSTERS = ("contract", "controlplane", "kubelet", "openshift", "sandbox")
"""Folders of tests."""


@contextmanager
def measured(item: pytest.Item) -> Iterator[None]:
    """Nothing is measured meanwhile, where the test is one of those: neither here nor in what it starts."""
    left_out = any(item.get_closest_marker(each) for each in LEFT_OUT)
    if not left_out and item.path.parent.name not in OF_CLUSTERS:
        yield
        return
    current = coverage.Coverage.current()
    variables = {name: os.environ.pop(name) for name in MEASURED_BY if name in os.environ}
    if current is not None:
        current.stop()
    try:
        yield
    finally:
        if current is not None:
            current.start()
        os.environ.update(variables)
