"""Why a decision was made, told from the journal: what was known, what was chosen, and what became of it."""
