"""Structures and formulas of materials as people write them: the formats, what is checked, and what a crystal is.

Parses text, never a path; knows no table and no campaign. Imports `wire` for what a crystal is; `reader` and `child`
alone start processes and keep what was read.
"""
