"""The candidates of a campaign: identity, family and features, and the readers that make them of tables.

No I/O of its own: tables come read, from `protocols.tables`. Imports no other room of the agent.
"""
