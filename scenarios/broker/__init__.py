"""The brokers that a run starts for itself, embedded or Mosquitto, the troubled network before one, and a broker's URL.

Touches processes and sockets. Imports `settings` alone.
"""
