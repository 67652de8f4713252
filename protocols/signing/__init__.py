"""Who said it: keys, signatures, the envelope around a signed payload, and the link that signs and looks.

Keys are secrets between two: what the agent says to one instrument is signed with that instrument's key, what it says
to all with its own. Stands on `link` and `wire`; only `key_file` and `transport` do more than compute.
"""
