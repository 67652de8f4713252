"""The second transport: a broker in this process, and links to it, without sockets and without time.

For agent and simulators that share a process (a notebook, a campaign in memory, a simulation). The broker and the
connection are synchronous; only the transport awaits. What a network or a broker may do to a message is a policy that
the caller injects (`policy`, `connection.Wire`); by default nothing happens to it.
"""
