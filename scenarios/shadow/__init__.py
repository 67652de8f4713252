"""Shadow mode: what the policy would have chosen wherever a lab chose. Pure; `scenarios.shadow.listener` listens."""
