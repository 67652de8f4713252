"""Results kept by content, so that nothing is computed twice, across campaigns and processes.

`keys` says what makes two requests one, `store` is the file, `cached_executor` stands before an executor. Attempts,
noise, latency and faults are none of its business: they act around it, on every attempt.
"""
