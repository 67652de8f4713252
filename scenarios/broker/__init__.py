"""The command `broker`, and the brokers that a run starts: embedded, Mosquitto, and a network that fails."""
