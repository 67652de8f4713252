"""The command `status`: where every campaign of a broker stands, read off what is retained there.

Touches the broker and publishes nothing. Imports `broker` and what is below; no other command.
"""
