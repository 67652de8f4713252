"""Campaigns for programs that have a loop of their own: an adapter each, by ask and tell. None imports that program."""
