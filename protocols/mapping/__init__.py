"""Other people's messages: how a lab's own topics and payloads become ours, and ours theirs.

`settings` says what a `[lab]` section holds, `mapping` compiles and checks it, `outgoing`, `incoming` and `results`
translate, and `transport` lets it act around a link, so that whoever stands above sees our messages alone. All but
`transport`, `sending` and `sent_log` is pure: a translation is a function of the message, the settings and the attempts
that are known. Stands on `link`, `settings`, `storage` and `wire`.
"""
