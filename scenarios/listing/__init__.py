"""The command `list`: scenarios, recordings and runs."""
