"""Crystals whose systems are known, and readers that do to a process what libraries do at their worst."""
