"""How well it is told what a campaign can reach: ceilings and forecasts against the truth."""
