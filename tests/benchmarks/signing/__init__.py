"""What signatures and receipts cost: one message, and short campaigns of each kind in turn."""
