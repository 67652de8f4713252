"""Files that hold a table, a module per kind of file: how its columns are named, its cells read, its rows counted.

`registry` lists them; nothing else knows an ending. A reader gives cells as they stand (a text, a number, a truth
value, bytes, nothing, or a `NestedCell`), runs nothing that a file holds, and opens no path that stands in one. What a
cell means is for `protocols.tables.cells` to say.
"""
