"""What is shown of a URL: never a part of a password, whatever the URL looks like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.settings.url_secrets import holds_password, without_password

SECRET = "cretword"


@pytest.mark.parametrize(
    "url",
    [
        "embedded", "host", "host:1883", "127.0.0.1:1883", "mqtt://lab", "mqtts://lab.example.org:8883", "wss://[::1]/m",
        "ws://lab/a/b", "mqtt://user@lab:1883", "mqtt://lab:-1", "tcp://lab:99999",
    ],
)  # fmt: skip
def test_a_url_without_a_password_is_shown_as_it_is(url: str) -> None:
    assert without_password(url) == url
    assert not holds_password(url)


@pytest.mark.parametrize("scheme", ["mqtt://", "mqtt//", "mqtt:/", "mqtt:", "//", ""])
@pytest.mark.parametrize("between", ["", "s", "s#", "s/", "s?", "s@", "s:", "s ", "12/", "ü&%zz", "s\n", "s\\"])
@pytest.mark.parametrize("after", ["@host", "@host:1883", "@host/mqtt", "@", "@host?x=1", "@[::1]:1"])
def test_whatever_stands_in_a_password_and_is_missing_before_it_no_part_of_it_is_shown(
    scheme: str, between: str, after: str
) -> None:
    url = f"{scheme}lab:{SECRET}{between}{SECRET}{after}"
    assert SECRET not in without_password(url)
    assert holds_password(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"mqtt://me:{SECRET}@lab:1884", "mqtt://me:…@lab:1884"),
        (f"mqtt://lab:s#{SECRET}@127.0.0.1:1", "mqtt://…@127.0.0.1:1"),
        (f"mqtt://lab@uni:p@{SECRET}@lab", "mqtt://…@lab"),
        (f"lab:{SECRET}@lab", "…@lab"),
        (f"mqtt://lab:{SECRET}", "mqtt://lab…"),
        (f"mqtt://lab:{SECRET}%40host", "mqtt://lab…"),
    ],
)
def test_what_is_shown_says_that_something_is_hidden(url: str, shown: str) -> None:
    assert without_password(url) == shown


@given(st.text(max_size=20), st.text(max_size=20), st.text(alphabet="hostname.1[]:/?#", max_size=20))
def test_nothing_that_stands_between_a_colon_and_the_last_at_is_shown(user: str, password: str, host: str) -> None:
    shown = without_password(f"mqtt://{user}:{password}{SECRET}@{host}")
    assert SECRET not in shown
