"""The command `pack`: what goes into a pack, the writer, and what is shown of it.

Writes one file. Imports `sources`, the format in `pack_file`, and what is below; no other command.
"""
