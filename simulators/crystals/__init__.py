"""The lab of crystals: properties that any ASE calculator gives, each with its unit, its method and what it needs.

What belongs in: how a crystal is relaxed, strained, displaced and cut. What a calculator is stands in
`simulators.calculators`. It imports `protocols`, `simulators.calculators` and `simulators.evaluator`.
"""
