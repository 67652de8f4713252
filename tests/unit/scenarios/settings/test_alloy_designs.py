"""Settings of a closure of alloys: what cannot be is refused before anything is made."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from scenarios.settings.alloy_designs import AlloyDesignsSettings


def test_everything_but_the_prototypes_has_a_default() -> None:
    told = AlloyDesignsSettings(prototypes=("B2",))
    assert (told.elements, told.strains, told.queried, told.reference) == ((), (0.0,), "a", "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"prototypes": ()}, "at least 1"),
        ({"prototypes": ("B2", "L1_0", "B2")}, "one is named twice: B2, L1_0, B2"),
        ({"elements": ("Cu", "Cu")}, "one is named twice: Cu, Cu"),
        ({"strains": (0.1, 0.1)}, "one is named twice: 0.1, 0.1"),
        ({"strains": (0.5,)}, "less than or equal to 0.2"),
        ({"strains": ()}, "at least 1"),
        ({"queried": ""}, "at least 1"),
        ({"volumes": (1.0,)}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        AlloyDesignsSettings(**{"prototypes": ("B2", "L1_0"), **changes})
