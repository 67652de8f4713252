"""Settings as layers: file, environment and flags over defaults; where each value comes from; what is wrong with it.

Knows no setting by name: the models stand where they are used.
"""
