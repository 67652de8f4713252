"""The command `diff`: two journals, event by event."""
