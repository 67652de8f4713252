"""The commands `list` and `report`: scenarios, recordings and runs, and how each stands.

Only reads. Imports `shadow` and `run`, whose summaries it shows, and what is below.
"""
