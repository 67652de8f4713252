"""The models of what is shown: the one source of the API, `watch --json`, the terminal, the saved page and its schema.

Pure. A number that is not finite is null; a time is RFC 3339 in UTC; names are as the table writes them.
"""
