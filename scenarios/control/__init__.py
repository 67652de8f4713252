"""The command `control`: what an operator asks of a campaign, sent to its agent, and the agent's answer.

Touches the broker; reads tables of candidates and of values. Imports `run` and what is below; no other command.
"""
