"""The command line, one module for each group of `--help`: run, look, replay, study, lab, maintain.

Reads arguments, calls one command's verb and prints. Heavy imports stand inside the commands. The top of the house: it
may import every room, and nobody imports it but the door `entropilot`.
"""
