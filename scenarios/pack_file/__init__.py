"""The file of a pack: manifest, seal, and a reader that checks everything before it writes anything.

Reads and unpacks files that strangers made. Imports `settings` and `display`; the command that makes packs is `pack`.
"""
