"""What other programs see of campaigns: Prometheus' text, and the rules and deliveries of alerts.

Here belong the figures of a run as plain values, and what is made of them. Who reads runs stands above (`watch`) and
hands these values down; nothing here opens a run or knows where its figures come from.
"""
