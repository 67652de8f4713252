"""What a scenario stands on, made real: pool, known values and start set, and the events that a campaign begins with.

Reads tables, keeps generated pools in a cache, and starts worker processes. Imports `settings` alone.
"""
