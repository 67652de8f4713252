"""The page's server: whom it answers, what it answers, and what it tells of itself as things happen.

Starlette and uvicorn are imported here and nowhere else (extra `page`). It reads through sources, writes nothing, and
sends an operator's orders over the broker as everybody does.
"""
