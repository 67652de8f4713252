"""The candidates of a campaign: identity, family, features, and the readers that make them of tables."""
