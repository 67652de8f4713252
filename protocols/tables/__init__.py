"""Tables of candidates: files, columns, cells, rows, ids, families and structures.

Reads files; knows no campaign.
"""
