"""Alerts: what must hold for one, that each is told once, and how it is told (a command, a webhook).

`rules` and `occurrences` are pure; `outbox` repeats what was not taken; `delivery` alone touches the world. The agent
knows nothing of it: who reads runs looks, in a process of its own.
"""
