"""What a benchmark starts beside itself: a lab that answers at once, an echo."""
