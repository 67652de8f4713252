"""What a person sees of runs: one state behind the page, the terminal, `watch --json` and the saved page.

| folder | what it is |
|---|---|
| `state/` | the models that travel: what is told of a run, a moment, a decision; pure |
| `reading/` | how they are read: from a run folder, a server's database; nothing is written |

`reading` stands on `state`, and whoever shows something on both. The agent imports nothing of it.
"""
