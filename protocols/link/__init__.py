"""How it travels: the one MQTT session, the transport port, and the guard against messages that kill.

The only room that opens sockets. Imports `wire` and `concurrency`.
"""
