"""Tables that need not fit in memory: read in blocks, and kept as arrays in files that are mapped.

What belongs here: reading record batches of Parquet and Arrow, checking their cells, and the folder of arrays that is
made of them once. What a campaign makes of it is the agent's (`agent.pool.mapped_pool`).
"""
