"""A URL of a database is shown and kept without what opens the door, whatever was typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import URL

from protocols.storage.server_url import has_stray_at, parsed_url, password_in, shown_url, without_secrets

SECRET = "qZ7xWv9"


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/name",
        f"postgres://me:{SECRET}@host:5432/name?sslmode=require",
        f"postgresql+psycopg://host/name?user=me&password={SECRET}",
        f"postgresql://me:a@{SECRET}/b@host/name",
        f"postgresql://me:a/{SECRET}@host/name",
        f"postgresql://me:a?{SECRET}@host/name",
        f"postgresql://me:a#{SECRET}@host/name",
        f"postgresql://host/name?user=me&password=a@{SECRET}/b",
        f"postgresql:/me:{SECRET}@host/name",
        f"postgresql://me:{SECRET}@host:port/name",
        f"me:{SECRET}@host",
        f"postgresql://me:@{SECRET}@host",
    ],
)
def test_no_part_of_a_password_is_shown(url: str) -> None:
    assert SECRET not in shown_url(url)
    parsed = parsed_url(url)
    if parsed is not None and not has_stray_at(url):
        assert SECRET not in without_secrets(parsed).render_as_string(hide_password=False)


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S")), min_size=6, max_size=20))
def test_a_password_of_any_characters_is_hidden_even_where_it_was_not_encoded(password: str) -> None:
    url = f"postgresql://me:{password}@host/name"
    assert password not in shown_url(url).replace("postgresql", "").replace("***", "")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_the_names_of_others_for_postgresql_mean_our_driver(scheme: str) -> None:
    parsed = parsed_url(f"{scheme}://me@host/name")
    assert parsed is not None
    assert parsed.render_as_string() == "postgresql+psycopg://me@host/name"


def test_what_is_no_secret_is_kept() -> None:
    parsed = parsed_url("postgresql://me:x@host:5433/name?sslmode=require&password=y&options=-csearch_path%3Dlab")
    assert parsed is not None
    kept = without_secrets(parsed).render_as_string(hide_password=False)
    assert kept == "postgresql+psycopg://me@host:5433/name?options=-csearch_path%3Dlab&sslmode=require"


@pytest.mark.parametrize(
    ("url", "holds"),
    [
        ("postgresql://me:x@host/name", True),
        ("postgresql://host/name?password=x", True),
        ("postgresql://me@host/name", False),
        ("sqlite:///a.db", False),
        ("nonsense", False),
    ],
)
def test_a_password_in_a_url_is_noticed(url: str, *, holds: bool) -> None:
    assert password_in(url) is holds


@pytest.mark.parametrize(
    ("url", "stray"),
    [
        ("sqlite:///me@home/a.db", False),
        ("postgresql://me:a%40b@host/name", False),
        ("postgresql://host/name", False),
        ("postgresql://me:a@b@host/name", True),
        ("postgresql://host/na@me", True),
    ],
)
def test_an_at_where_none_belongs_is_noticed(url: str, *, stray: bool) -> None:
    assert has_stray_at(url) is stray


def test_what_was_made_of_its_parts_is_taken_as_it_is() -> None:
    made = URL.create("postgresql", "me", "a@b", "host", database="name")
    assert not has_stray_at(made)
    assert shown_url(made) == "postgresql://me:***@host/name"
    assert shown_url(URL.create("sqlite", database="/a/50 %/x.db")) == "sqlite:////a/50 %/x.db"
