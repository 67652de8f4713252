"""What it costs to read what people have, beside what the libraries alone take for it."""
