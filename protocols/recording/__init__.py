"""A recording: its rows and chain, writer, reader, end and seal.

Reads and writes one file. Imports `wire`, `link` (whose messages it writes down) and `storage`; knows no campaign.
"""
