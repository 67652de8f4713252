"""The agent's memory: the journal and the views folded from it, in one database with one writer."""
