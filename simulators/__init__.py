"""Simulators play the lab: they evaluate candidates, keep their answers, and repeat them until the receipt."""
