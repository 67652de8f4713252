"""JSON Schema and AsyncAPI, generated from the messages and committed in `v1/`.

Pure but for `files`. Imports wire and recording.
"""
