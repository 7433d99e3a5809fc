"""Contract tests: what the sandbox answers and does is what a real control plane answers and does."""
