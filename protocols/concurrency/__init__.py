"""Child processes, daemon threads, signals, inboxes, and what is told when several tasks fail.

May use asyncio, threads and processes; knows no network and no message. Imports nothing of ours but `protocols.errors`.
"""
