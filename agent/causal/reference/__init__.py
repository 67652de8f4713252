"""Active causal learning as it was published (Fox and Ghosh 2024): to be measured against, never to be used in a lab.

It chooses rows by how near they bring a graph to the graph of all rows, whose values it must know before. Beside it
stand its control and the fair one that the publication lacks. Pure; imports `graph`, and scikit-learn in `subsets`.
"""
