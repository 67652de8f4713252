"""The agent's memory: the journal, and the views folded from it, in one database with one writer.

Touches the database and nothing else; the rest of the agent knows no SQLModel. Imports `campaign`, `pool` and
`entropy`.
"""
