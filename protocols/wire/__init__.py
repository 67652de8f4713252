"""What is said: messages, topics, codec, structures, limits and the ids of attempts.

Pure but for `fresh_ids`: no I/O, no clock, no asyncio. Imports nothing of ours but `protocols.errors`; all who talk
import it.
"""
