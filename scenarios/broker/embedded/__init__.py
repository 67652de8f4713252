"""The embedded broker: MQTT 3.1.1 in a process of its own, with a bound on everything that somebody may send or leave.

Nobody is heard before name and password are right; what waits for whoever does not read is bounded, and so is all else
(`limits`). Packets, sessions and router are pure; connections and server do the talking, `process` is what runs.
Imports nothing heavy: it is started with every run.
"""
