"""Active causal learning as it was published, on QM9, beside its figures: `python -m tests.benchmarks.causal_paper`."""
