"""What a name means, and what it names, opened: a scenario, a run, a recording, a pack or a table.

`identify` is the one place that tells; every command that takes a name asks it. Reads files, and unpacks packs below
the folder of the runs. Imports `settings`, `display`, `pack_file` and `world`; no command.
"""
