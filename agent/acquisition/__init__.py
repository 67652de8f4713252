"""Policies that choose the next candidates, and the entropy estimators that they stand on. Pure functions."""
