"""`entropilot doctor`: what must be right for a campaign on a broker, checked one by one, each with what to do.

What looks (`machine`, `places`, `network`, `encryption`, `probe`, `login`, `rights`) only finds out; what it means is
decided by what is pure (`checks`, `needs`, `retained`, `clocks`, `certificates`, `file_systems`). It says nothing that
an instrument could take for work, and leaves nothing on the broker.
"""
