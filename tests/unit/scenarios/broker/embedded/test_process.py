"""What the broker's process is told is one line that holds all of it."""

from __future__ import annotations

import json

from scenarios.broker.embedded.process import order
from scenarios.broker.embedded.users import Action, User


def test_an_order_is_one_line() -> None:
    line = order("127.0.0.1", 1883, (User("ann", "a\nb", ((Action.READ, "x/#"),)),))
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"host": "127.0.0.1", "port": 1883, "users": [["ann", "a\nb", [["read", "x/#"]]]]}
