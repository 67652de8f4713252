"""Traces: one of each attempt, whose ids follow from the attempt's, so that agent, instrument and replay name the same.

What is traced is given away and forgotten: whoever traces never waits for whoever collects, and never fails by it.
"""
