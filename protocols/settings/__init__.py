"""Settings as layers: file, environment and flags over defaults; where each value comes from; what is wrong with it.

Reads TOML files alone. Knows no setting by name: the models stand where they are used. Imports nothing of ours but
`protocols.errors`.
"""
