"""What pools of crystals cost, and what statistics of composition are worth to the surrogate."""
