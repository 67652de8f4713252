"""Replays a recording: the same inputs go into the same rules, and every decision is made again and compared."""
