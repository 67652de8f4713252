"""What the agent measures of itself, at its edge: how long policy and commits take, and a trace of each attempt.

It hangs on committed transactions, on what is sent and on who asks the policy; the loop and the rules know nothing of
it. Nothing here decides, waits or fails.
"""
