"""Child processes, daemon threads, signals, inboxes, and what is told when several tasks fail.

It imports nothing of ours but `protocols.errors`.
"""
