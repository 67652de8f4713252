"""What people may order: which orders are obeyed, what each of them makes, and which decisions wait for a person.

Pure rules like all of `agent.campaign`; messages come and receipts go elsewhere.
"""
