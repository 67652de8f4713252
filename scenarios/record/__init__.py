"""The command `record`: what travels on a broker, written down by somebody who only listens.

Touches the broker and writes one file. Imports the shared rooms alone; no other command.
"""
