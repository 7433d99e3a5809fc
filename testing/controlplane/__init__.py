"""A real Kubernetes control plane for tests, demos and measurements: found or built, started, stopped.

Knows nothing of the product and of the sandbox, and neither may know of it: what is under test must not be
its own judge. Start with :func:`testing.controlplane.acquire.acquire`.
"""
