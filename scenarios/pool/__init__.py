"""`entropilot pool`: makes the pool of a scenario, says what is in it, and writes it as a table with its ids."""
