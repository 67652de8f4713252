"""Evaluations on a Dask cluster, which distributes them; what evaluates is a child of ours there.

Dask cannot stop a task, so a task is no calculation: it is a thin coroutine that owns a child with a deadline and a
memory cap (`on_worker`). `cluster` keeps the connection and knows the workers, `dask_executor` gives them work.
"""
