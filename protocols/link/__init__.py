"""How it travels: the one MQTT session, the transport port, and the guard against messages that kill.

Sockets and asyncio belong here and nowhere else in `protocols`. Imports wire and concurrency.
"""
