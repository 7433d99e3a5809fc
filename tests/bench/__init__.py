"""The pieces of the benchmark; what it measures is not asserted anywhere."""
