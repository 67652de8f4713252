"""Policies on real tables: bias, and models trained on what was acquired; and the page of the documents made of it."""
