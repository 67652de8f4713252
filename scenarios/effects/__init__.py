"""What a campaign says of effects, and how far off it is where a scenario knows the truth; several commands show it.

Computed from journalled observations, after them: nothing here is seen by a policy, a journal or a broker. Touches only
the files that it writes. Imports `display` alone.
"""
