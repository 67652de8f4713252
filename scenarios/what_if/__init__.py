"""The command `what-if`: another policy on recorded answers."""
