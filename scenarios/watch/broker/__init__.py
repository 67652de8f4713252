"""Campaigns of a broker: seen by what it retains and what is said meanwhile, and asked for something by orders.

Nothing of it needs the extra `page`: the terminal uses it as well.
"""
