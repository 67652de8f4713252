"""The world of a scenario: pool, start set and oracle, made from settings and kept in a cache."""
