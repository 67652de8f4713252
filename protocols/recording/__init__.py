"""A recording: its rows and chain, writer, reader, end and seal.

Imports wire, link and storage; knows no campaign.
"""
