"""The view of a run on a terminal, attached to it from outside: Textual (extra `tui`), the same state as the page.

Here belong its parts as text (pure), what is read for it, how orders are sent, and the screens. It writes nothing, and
an order goes the way that `entropilot control` sends it.
"""
