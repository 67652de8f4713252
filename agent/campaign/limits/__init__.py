"""What limits a campaign besides its budget: what is left of its stocks, at which pace it asks, and whom.

Pure: times come in as arguments. What may be asked of a candidate at all is judged in `agent.pool.limits`.
"""
