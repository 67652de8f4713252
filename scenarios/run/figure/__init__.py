"""The picture of a bias trajectory: who is poor and who is rich, how the gap closes, and against what.

Here belong its panels and their data. Colours, sizes and axes are those of `scenarios.display.figure_style`.
"""
