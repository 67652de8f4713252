"""The commands `mcp` and `proposals`: a language model reads campaigns and proposes orders, a person gives them or not.

The server only reads, by the sources of `watch`, and writes proposals into a folder of their own. What carries an order
out is another process, at a terminal, with a code that a person reads there and types. Imports `watch`, `control` and
the commands that answer questions; nobody but `cli` imports it.
"""
