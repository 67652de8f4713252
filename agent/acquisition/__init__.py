"""Policies that choose the next candidates: context in, choice out.

Pure: no I/O, no clock, no randomness but the generator that is given. Imports `entropy` and `surrogate`; a policy
never sees a campaign.
"""
