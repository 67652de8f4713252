"""The command `forecast`: what a budget can buy, from what a campaign would know at its start.

Plays campaigns offline against values that are drawn from the surrogate, never against the true ones. Imports `run`
(offline play, what can be reached) and what is below; no other command.
"""
