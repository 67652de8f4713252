"""The command line: what can be typed, in the groups of `--help`. It reads arguments and calls one command's verb.

The top of the house: it may import every command, and nobody imports it but the door `entropilot`.
"""
