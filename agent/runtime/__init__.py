"""What the loop needs beside the rules: deadlines, the policy's process, election, messages, log, recorder, resume.

The shell of the agent: it may touch clock, processes and files. Imports `campaign`, `store` and what is below; nothing
below imports it.
"""
