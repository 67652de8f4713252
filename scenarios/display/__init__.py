"""What all commands show people with: console, progress, style of pictures.

Shared by every command; it knows none of them.
"""
