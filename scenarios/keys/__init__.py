"""The command `keys`: makes the keys that a lab signs with, a file for each part."""
