"""Test worlds: a pool, a start set, a policy and simulators, put together and run."""
