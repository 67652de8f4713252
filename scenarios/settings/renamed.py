"""Settings of a scenario that had another name before: who still writes the old one is told the new one.

Whoever renames a setting adds a line: the old name with its tables, then today's; `*` stands for a name that the user
gives, the same in both (`simulators.*.delay_s`).
"""

from __future__ import annotations

from typing import Final

from protocols.settings.renamed import RenamedSettings

RENAMED: Final[RenamedSettings] = {
    # With 0.2.0:
    "campaign.further": "campaign.additional_properties",
    "pool.columns.further_properties": "pool.columns.additional_properties",
}
"""Old name to new name."""
