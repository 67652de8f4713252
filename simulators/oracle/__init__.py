"""What an oracle does about a candidate that its table does not have: the nearest row, or a calculator.

Imports `protocols`, and of `simulators` what evaluates. `simulators.oracle_table` is the oracle itself.
"""
