"""The command `replay`: a recording's messages into the rules of today, each decision made again and judged.

No broker and no waiting: it reads a recording and may start the policy's process. Imports `sources` and what is below,
not `run`.
"""
