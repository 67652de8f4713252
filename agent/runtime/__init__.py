"""What the loop needs beside the rules: deadlines, the policy's process, election, messages, log, recorder, resume.

The shell of the agent: it may touch clock, processes and files, and imports campaign, acquisition and store; nothing
below it imports it.
"""
