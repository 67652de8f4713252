"""The Python interface: what the commands do, for a script or a notebook; tables go in and out as data frames.

Only `entropilot` imports it. Each call does what the command of its name does, through the same functions, and works
where an event loop runs already.
"""
