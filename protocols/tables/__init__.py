"""Tables of candidates: files, columns, cells, rows, ids, families and structures.

Reads files; knows no campaign. Imports `wire` for its limits and structures, and `settings` for the nearest name.
"""
