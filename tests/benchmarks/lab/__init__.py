"""What the assignment of work to instruments is worth."""
