"""What the agent and the simulators say to each other, how it travels, and how it is kept.

The ground floor: it knows no agent, no simulator and no scenario, and imports none of them.
"""
