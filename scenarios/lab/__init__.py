"""`entropilot lab`: how one message of a lab would be understood, and how a request would be sent to it.

`source` finds the mapping, `trial` tries a message or a request, `report` shows what came of it.
"""
