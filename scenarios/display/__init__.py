"""What a person sees, whatever the command: console and errors, progress, the look and the labels of figures.

Writes to the terminal alone. The lowest room beside `settings`: it knows no scenario and imports no other room.
"""
