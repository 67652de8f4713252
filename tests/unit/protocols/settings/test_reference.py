"""Every setting is listed with what it takes, its default, its unit and its meaning, from the models alone."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from protocols.settings.reference import Setting, every_setting, meaning_of


class Shift(StrEnum):
    DAY = "day"
    NIGHT = "night"


class Noise(BaseModel):
    """Noise of an instrument."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    width: float | dict[str, float] = 0.1
    """Its width
    [eV]; see `[noise]`."""


class Instrument(BaseModel):
    """An instrument."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    slots: Annotated[int, Field(ge=1)]
    """How many at once."""
    noise: Noise | None = None
    """Noise that it adds."""


class Lab(BaseModel):
    """A lab."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    kind: Literal["real", "played"] = "real"
    """Which."""
    instruments: dict[str, Instrument] = {}
    """By name."""
    spare: tuple[Instrument, ...] = ()
    """Those that rest."""
    cut: int | Noise = 3
    """A number, or more."""
    shifts: list[Annotated[Shift, Field(strict=True)]] = [Shift.NIGHT]
    """When it works."""
    limits: dict[str, str | Noise] = {}
    """In words, or whole."""


def test_every_setting_of_every_section_is_listed_once() -> None:
    assert list(every_setting(Lab)) == [
        Setting("kind", '"real", "played"', '"real"', "", "Which."),
        Setting("instruments.NAME.slots", "whole number", None, "", "How many at once."),
        Setting(
            "instruments.NAME.noise.width", "number or table of number", "0.1", "eV", "Its width [eV]; see `[noise]`."
        ),
        Setting("spare.NAME.slots", "whole number", None, "", "How many at once."),
        Setting("spare.NAME.noise.width", "number or table of number", "0.1", "eV", "Its width [eV]; see `[noise]`."),
        Setting("cut", "whole number or table", "3", "", "A number, or more."),
        Setting("cut.width", "number or table of number", "0.1", "eV", "Its width [eV]; see `[noise]`."),
        Setting("shifts", 'list of "day", "night"', '["night"]', "", "When it works."),
        Setting("limits", "table of text or table", "{}", "", "In words, or whole."),
        Setting("limits.NAME.width", "number or table of number", "0.1", "eV", "Its width [eV]; see `[noise]`."),
    ]


@pytest.mark.parametrize(
    ("key", "meaning"),
    [
        (("kind",), "Which."),
        (("instruments", "a", "noise"), "Noise that it adds."),
        (("instruments", "a", "noise", "width", "gap"), ""),
        (("nothing",), ""),
    ],
)
def test_a_setting_is_explained_by_its_key(key: tuple[str, ...], meaning: str) -> None:
    assert meaning_of(Lab, key) == meaning
