"""What a molecule is: its SMILES read, checked and named, its conformers, and the edits that make others of it.

The ground floor, because all floors speak of molecules: a table names them, the agent asks for them, the lab measures
them. Pure functions of a SMILES; RDKit is used where the extra `molecules` has brought it. Imports `extras` and
`errors` alone.
"""
