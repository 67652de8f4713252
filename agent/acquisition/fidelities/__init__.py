"""Policies that choose what to ask and where: which candidate, by which method, and whether again."""
