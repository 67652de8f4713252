"""Whether a run folder is what it says it is."""
