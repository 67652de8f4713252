"""What is looked at before anything is sent: whether the lab may be driven at all, and what would be asked of it.

Imports what makes a run; nothing here connects to a broker or writes a file.
"""
