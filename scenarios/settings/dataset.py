"""What is said of a dataset to those who use it later: title, licence, creators, how it is cited, what measured it.

Nothing of it changes a campaign: it goes into a recording's first line and into what `entropilot export` writes.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from protocols.settings.suggestions import did_you_mean
from protocols.wire.messages import Identifier

MAX_TEXT: Final = 2_000
"""Longest description or citation [character]: an abstract."""

MAX_CREATORS: Final = 200
"""Most creators: a collaboration; longer lists belong into a publication."""

MAX_WORDS: Final = 50
"""Most keywords or sources."""

_ORCID: Final = re.compile(r"(?:https?://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])")
_ROR: Final = re.compile(r"(?:https?://ror\.org/)?(0[a-hj-km-np-tv-z0-9]{6}\d{2})")
_DOI: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/|doi:)?(10\.\d{4,9}/\S+)", re.IGNORECASE)
_URL: Final = re.compile(r"https?://[^\s/@]+(?:/\S*)?")

SPDX: Final = "https://spdx.org/licenses/"
ORCID: Final = "https://orcid.org/"
ROR: Final = "https://ror.org/"
DOI: Final = "https://doi.org/"

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
"""Digits of a ROR identifier, 32 of them: without i, l, o and u."""

OFTEN_MEANT: Final = ("CC-BY-4.0", "CC0-1.0", "CC-BY-SA-4.0", "ODbL-1.0", "ODC-By-1.0", "PDDL-1.0")
"""Licences that are made for data."""


class CreatorSettings(BaseModel):
    """Somebody who made the dataset."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    """As it is to be cited."""
    orcid: str | None = None
    """ORCID iD, such as 0000-0002-1825-0097; its last digit is checked."""
    affiliation: Annotated[str, Field(max_length=300)] = ""
    """Where that one works."""
    ror: str | None = None
    """ROR identifier of where that one works, such as 03yrm5c26."""

    @field_validator("orcid")
    @classmethod
    def _whole(cls, said: str | None) -> str | None:
        return None if said is None else orcid_of(said)

    @field_validator("ror")
    @classmethod
    def _registered(cls, said: str | None) -> str | None:
        return None if said is None else ror_of(said)


class DescribedInstrument(BaseModel):
    """What is known of an instrument besides its id."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: Annotated[str, Field(max_length=200)] = ""
    """For people; by default its id."""
    manufacturer: Annotated[str, Field(max_length=200)] = ""
    """Who made it."""
    model: Annotated[str, Field(max_length=200)] = ""
    """Which it is."""
    serial_number: Annotated[str, Field(max_length=200)] = ""
    """Its number."""
    method: Annotated[str, Field(max_length=500)] = ""
    """How it measures."""
    url: Annotated[str, Field(max_length=500)] = ""
    """Where more is said of it, such as an identifier of instruments (PIDINST)."""

    @field_validator("url")
    @classmethod
    def _followed(cls, said: str) -> str:
        return said if not said else link_of(said)


class DatasetSettings(BaseModel):
    """What `entropilot export` says of a dataset; `--set dataset.licence=…` says it of a run that is there already."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    title: Annotated[str, Field(max_length=300)] = ""
    """Its title; by default made of property, families and campaign."""
    description: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """What it is, for somebody who finds it; by default what the scenario is for."""
    licence: str | None = None
    """SPDX identifier of the licence that it may be used under, such as CC-BY-4.0; without one nobody is allowed to."""
    creators: Annotated[tuple[CreatorSettings, ...], Field(strict=False, max_length=MAX_CREATORS)] = ()
    """Who made it, in the order of a citation."""
    citation: Annotated[str, Field(max_length=MAX_TEXT)] = ""
    """How it is to be cited; by default made of creators, year and title."""
    keywords: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_WORDS)] = ()
    """Words that it is found by."""
    sources: Annotated[tuple[str, ...], Field(strict=False, max_length=MAX_WORDS)] = ()
    """What it is made of or described in: DOIs or web addresses."""
    instruments: Annotated[dict[Identifier, DescribedInstrument], Field(max_length=256)] = Field(default_factory=dict)
    """What is known of the instruments, by their ids."""

    @field_validator("licence")
    @classmethod
    def _known(cls, said: str | None) -> str | None:
        return None if said is None else licence_of(said)

    @field_validator("sources")
    @classmethod
    def _linked(cls, said: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(link_of, said))


def orcid_of(said: str) -> str:
    """Return an ORCID iD without its address.

    Its last character is a checksum over the others (ISO 7064, MOD 11-2).

    Raises:
        ValueError: When it is none, or a digit is wrong.
    """
    found = _ORCID.fullmatch(said.strip())
    if found is None:
        message = f"{said!r} is no ORCID iD; expected such as 0000-0002-1825-0097"
        raise ValueError(message)
    total = 0
    for digit in found[1].replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    if found[1][-1] != ("X" if check == 10 else str(check)):  # noqa: PLR2004 - ten is written X
        message = f"the ORCID iD {found[1]} has a wrong digit (its checksum does not fit); copy it from orcid.org"
        raise ValueError(message)
    return found[1]


def ror_of(said: str) -> str:
    """Return a ROR identifier without its address.

    Its last two digits are a checksum over the others (ISO 7064, MOD 97-10).

    Raises:
        ValueError: When it is none, or a digit is wrong.
    """
    found = _ROR.fullmatch(said.strip())
    if found is None:
        message = f"{said!r} is no ROR identifier; expected such as 03yrm5c26"
        raise ValueError(message)
    number = 0
    for digit in found[1][:-2]:
        number = number * len(_CROCKFORD) + _CROCKFORD.index(digit)
    if int(found[1][-2:]) != 98 - (number * 100) % 97:
        message = f"the ROR identifier {found[1]} has a wrong digit (its checksum does not fit); copy it from ror.org"
        raise ValueError(message)
    return found[1]


def licence_of(said: str) -> str:
    """Return the SPDX identifier of a licence as SPDX writes it.

    Raises:
        ValueError: When SPDX lists none of this name, or it is an expression of several.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    wanted = said.strip()
    try:
        known = str(canonicalize_license_expression(wanted))
    except InvalidLicenseExpression:
        known = ""
    if not known or " " in known or known.startswith("LicenseRef-"):
        meant = did_you_mean(wanted, OFTEN_MEANT)
        message = (
            f"{said!r} is no licence that SPDX lists; expected one identifier of https://spdx.org/licenses/, such as "
            f"{', '.join(OFTEN_MEANT[:3])}" + (f" ({meant})" if meant else "")
        )
        raise ValueError(message)
    return known


def link_of(said: str) -> str:
    """Return the web address of a DOI or an address.

    Raises:
        ValueError: When it is neither.
    """
    wanted = said.strip()
    if (found := _DOI.fullmatch(wanted)) is not None:
        return f"{DOI}{found[1]}"
    if _URL.fullmatch(wanted) is None:
        message = f"{said!r} is neither a DOI such as 10.1063/5.0138913 nor a web address"
        raise ValueError(message)
    return wanted
