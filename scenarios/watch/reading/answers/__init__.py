"""Answers that take seconds: why, what if from here, the whole check. One warm child process works them out.

`worker` is asked, and says at once what it knows; `child` is the process; `from_here` and `comparison` are what is new
about the answers, all else is that of the commands.
"""
