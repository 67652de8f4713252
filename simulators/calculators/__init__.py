"""The calculators that a lab of crystals may use: a closed list, what each knows, and what names it.

`catalogue.py` is the list, `soundness.py` what is checked before any of them. Nothing that comes in a message names
code, a command or a path. It imports `protocols` and `simulators.evaluator`.
"""
