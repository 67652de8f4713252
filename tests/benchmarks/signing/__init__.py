"""What signatures cost: one message, and whole campaigns beside unsigned ones."""
