"""A Dask cluster of real processes on this machine, for tests and benchmarks."""
