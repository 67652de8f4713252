"""What an instrument says that it can do, and whom it serves next where several campaigns ask it."""
