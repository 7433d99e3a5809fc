"""The loop: observe, decide, make at most one write, observe again.

It declares (in ``ports``) the cluster and the clock that it needs and imports neither; it never prints,
it emits the facts of ``rollupdate.events``.
"""
