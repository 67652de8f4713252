"""The command `record`: a listener that writes down what is said on a broker."""
