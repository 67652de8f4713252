"""Simulators play the lab: they evaluate candidates, keep their answers, and repeat them until the receipt.

Calculators, faults, noise and the service that speaks for them. Touches the link, child processes and its own
database. Imports `protocols` alone: it never meets `agent`, and `scenarios` puts both together.
"""
