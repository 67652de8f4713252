"""What may be asked of a pool's candidates, and what a request of each takes: settings, and who judges by them.

Pure: no I/O, no clock. What is left of a stock belongs to a campaign (`agent.campaign.limits`).
"""
