"""Who of the lab can do what, and who is asked: what instruments announced, and the rule that assigns a request.

Pure, as all of the core. Which candidate is chosen does not depend on anything in here; who is asked for it, and when,
does.
"""
