"""Where evaluations run: in this process, in children that can be killed, or in children on a Dask cluster.

`executor` is the protocol, `choice` says which one the settings mean. What the child does stands in `child`, what
travels between it and us in `frames`. Nothing here knows of links, attempts or noise.
"""
