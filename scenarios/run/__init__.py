"""The command `run`: broker, agent and simulators in one process; its view, outcome and picture; offline play."""
