"""The agent: it decides what to evaluate next, remembers everything, and talks to the lab."""
