"""What people import: the public door. It holds no logic, and imports nothing until it is asked to.

The Python interface itself comes later; today `python -m entropilot` is the one door to the command line.
"""
