"""The real agent and real simulators in virtual time, among everything that can go wrong. A seed is the whole story."""
