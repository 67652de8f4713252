"""What the page costs its viewers, its server and the run."""
