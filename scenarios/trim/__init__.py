"""The command `trim`: which rows of a table can go."""
