"""The command `play`: a recorded lab on a real broker."""
