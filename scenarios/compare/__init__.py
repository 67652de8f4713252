"""The command `compare`: policies from the same starts, over seeds, with statistics and models."""
