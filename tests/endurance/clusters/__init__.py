"""Campaigns whose labs evaluate on a Dask cluster, all of whose parts are killed."""
