"""When a campaign is over for the process that runs it."""

from __future__ import annotations

from agent.campaign.life_cycle import Phase
from agent.campaign.state import Campaign
from protocols.errors import CampaignHalted


def is_over(campaign: Campaign) -> bool:
    """Tell whether nothing is left to be done.

    Raises:
        CampaignHalted: When the campaign paused itself: nobody here can let it go on.
    """
    if campaign.paused_itself:
        raise CampaignHalted(
            f"The campaign paused itself: {campaign.pause_reason}",
            expected="a lab that answers",
            action="look at the failures (`entropilot report`), fix the lab, then run again with --resume",
        )
    return campaign.phase is Phase.FINISHED
