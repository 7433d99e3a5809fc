"""Tests of the real control plane; the live ones are marked ``realplane``."""
