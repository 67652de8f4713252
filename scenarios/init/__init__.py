"""`entropilot init`: a commented start for a lab of one's own, from a table.

`columns` guesses what the table's columns are, `text` writes the scenario, `start` puts both together and checks that
what was written loads.
"""
