"""How an instrument errs: noise, outliers, bias, drift, jumps and calibration, and how long it takes.

All of it is drawn from hashes and counted from what an instrument's memory keeps: no clock, no global randomness and no
I/O in here. Imports `protocols` alone, and stands below `simulators.settings`.
"""
