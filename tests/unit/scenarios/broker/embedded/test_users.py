"""A user is let in with the right password alone, and may do what its rules say."""

from __future__ import annotations

from scenarios.broker.embedded.users import Action, User, user_with

ANN = User("ann", "secret", ((Action.WRITE, "a/+"), (Action.READ, "a/b/#")))
BOB = User("bob", "hidden", ())


def test_name_and_password_must_both_be_right() -> None:
    users = (ANN, BOB)
    assert user_with(users, "ann", b"secret") is ANN
    assert user_with(users, "bob", b"hidden") is BOB
    for name, password in (("ann", b"hidden"), ("bob", b"secret"), ("", b""), ("ann", b""), ("Ann", b"secret")):
        assert user_with(users, name, password) is None
    assert user_with(users, "änn", b"\xff") is None


def test_a_user_may_do_what_a_rule_says_and_nothing_else() -> None:
    assert ANN.may(Action.WRITE, "a/x")
    assert not ANN.may(Action.WRITE, "a/b/c")
    assert ANN.may(Action.READ, "a/b/c")
    assert not ANN.may(Action.READ, "a/x")
    assert not BOB.may(Action.READ, "a/b/c")


def test_a_password_is_not_shown() -> None:
    assert "secret" not in repr(ANN)
