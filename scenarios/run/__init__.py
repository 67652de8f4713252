"""The command `run`: broker, lab, operator and agent in one process, what is shown meanwhile, and the outcome.

Also a campaign played without broker and lab (`offline`), which other commands use. Touches processes, the broker and
the run folder. Imports the shared rooms below it, and no other command.
"""
