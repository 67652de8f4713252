"""Test worlds: a pool, a start set, a policy and simulators, put together, run, recorded, replayed and explained.

One command, one folder. What all commands share lies below them: `settings`, `display`, `broker`, `pack_file`, `world`,
`sources`. May import `agent`, `simulators` and `protocols`; nobody but the door `entropilot` imports it.
"""
