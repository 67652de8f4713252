"""The command `graph`: the causal graph of a table's columns, with the probability of every edge.

Reads one table, and writes a picture and a table of edges. Imports `findings` and what is below; no other command.
"""
