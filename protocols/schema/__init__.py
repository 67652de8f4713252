"""JSON Schema and AsyncAPI documents, generated from the messages and committed in `v1/`.

Pure but for `files`. Imports `wire`, `link` and `recording`; nobody imports it but who writes the documents.
"""
