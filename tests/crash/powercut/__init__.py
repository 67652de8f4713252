"""The power is cut at every write and sync of a recorded campaign: `python -m tests.crash.powercut`."""
