"""What cheap values are worth: fidelity_gain with two methods, against gap_gain on dear values alone."""
