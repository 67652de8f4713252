"""Tables of the library that a generator wrote are what it writes."""

from __future__ import annotations

from tests.support.library_tables import benzenes_log


def test_the_log_of_benzenes_is_what_its_programmes_draw() -> None:
    assert benzenes_log.LOG.read_text() == benzenes_log.text(benzenes_log.rows())


def test_the_log_is_confounded_as_it_says() -> None:
    """By the difference of its means, nitro raises the dipole by more than 5 D; over all partners it is 2.9 D."""
    rows = benzenes_log.rows(20_000, seed=1)
    nitro, hydrogen = ([value for x, _, value in rows if x == group] for group in ("NO2", "H"))
    assert sum(nitro) / len(nitro) - sum(hydrogen) / len(hydrogen) > 5.0
