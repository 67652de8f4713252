"""What a person looks at after a run: figures, tables, the summary."""
