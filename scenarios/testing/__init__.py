"""The contract suites that authors of plug-ins run: classes of tests, to which they supply one fixture.

For policies, evaluators and readers of tables. Nothing here is imported but by tests, and it needs pytest (extra
`testing`). Authors import it as `entropilot.testing`.
"""
