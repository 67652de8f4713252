"""A finite closure of designs: its effects as queries, and models that believe something of all its candidates at once.

Nothing here knows a factor, a level or a unit by name: whatever a model starts from comes from the designs and from
label-free features.
"""
