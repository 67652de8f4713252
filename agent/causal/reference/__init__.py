"""Active causal learning as it was published (Fox and Ghosh 2024): to be measured against, never to be used in a lab.

It keeps rows by how near they bring a graph to the graph of all rows (`global_graph`), whose values somebody must know
before. Beside it stand its control and the fair one that the publication lacks. `schedule` draws, `kept_rows` keeps:
for `causal_reference` as values come in, for benchmarks all at once (`selection`). Pure; imports `graph`, and
scikit-learn in `subsets`.
"""
