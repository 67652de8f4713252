"""The command `alerts`: looks at runs now and then, as the page does, and tells others what they want to be told.

A process of its own beside the agent: it reads, and the agent neither knows it nor waits for it.
"""
