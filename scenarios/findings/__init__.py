"""What a campaign found, as people look at it: the causal graph, how far it is off, molecules above a threshold.

Recomputed from observations, after the fact; a truth that a scenario knows is laid beside it here, where no policy is.
Writes pictures and tables into a folder that it is given. Imports the shared rooms below it and no command; `run` and
`graph` use it.
"""
