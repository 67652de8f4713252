"""What the agent and the simulators say to each other, and how it travels."""
