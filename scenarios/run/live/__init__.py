"""A run as a person watches it: progress, the families and their entropy, the last decision, what is in flight.

Here belong a state, how it reads as a line and on a terminal, and who shows it. What the state is comes from
`scenarios.run.watch`.
"""
