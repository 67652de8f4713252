"""The command `trim`: a table cut to a given size with the least bias.

Reads one table, and writes another with its figures. Imports `sources` and what is below; no other command.
"""
