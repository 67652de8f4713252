"""How what is shown is read: short transactions of a reader, and nothing written where people only look."""
