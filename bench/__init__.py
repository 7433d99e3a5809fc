"""Measurements: the command against a Deployment of the same strategy, and what it costs client and API.

``python -m bench`` measures everything in one run on the real control plane and writes docs/performance.md.
Absolute times are this machine's; what is compared is compared as a ratio, in turn, within the run.
"""
