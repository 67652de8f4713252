"""What a committed request waits for before it goes out: leave to ask its recipient, the lab's hours, and its turn."""
