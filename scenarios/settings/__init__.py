"""The settings of a scenario, as pydantic models, how a recording keeps them, and where the library of scenarios lies.

Reads the names of the library's files, and nothing else. The lowest room beside `display`: it imports no other one.
"""
