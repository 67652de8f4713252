"""The calculators that a lab of crystals may use: a closed list, what each knows, and what names it.

Nothing that comes in a message names code, a command or a path. It imports `protocols` and `simulators.evaluator`.
"""
