"""A broker that ends the connection at a large packet is found out at the second time, and no other is suspected."""

from __future__ import annotations

from protocols.link.dropped_packets import MAX_TOPICS, DroppedPackets

KNOWN = "lab/results"
NEW = "lab/status"


def test_a_packet_that_ends_the_connection_twice_is_named_with_the_largest_that_was_taken() -> None:
    packets = DroppedPackets()
    packets.confirmed((KNOWN, 300))
    assert packets.link_ended([(KNOWN, 310), (KNOWN, 900)]) is None
    suspicion = packets.link_ended([(KNOWN, 900), (KNOWN, 250)])
    assert suspicion is not None
    assert (suspicion.packet_bytes, suspicion.taken_bytes) == (900, 300)
    assert "900 bytes" in str(suspicion)
    assert packets.link_ended([(KNOWN, 900)]) is not None, "as long as it goes on"


def test_a_link_that_ends_while_packets_are_on_their_way_that_were_taken_before_is_only_a_link() -> None:
    packets = DroppedPackets()
    packets.confirmed((KNOWN, 900))
    assert packets.link_ended([(KNOWN, 900)]) is None
    assert packets.link_ended([(KNOWN, 900)]) is None


def test_what_was_taken_in_the_end_is_suspected_no_more() -> None:
    packets = DroppedPackets()
    packets.confirmed((KNOWN, 100))
    assert packets.link_ended([(KNOWN, 900)]) is None
    packets.confirmed((KNOWN, 900))
    assert packets.link_ended([(KNOWN, 900)]) is None
    assert packets.link_ended([(KNOWN, 1_000)]) is None, "another size is another packet"


def test_a_link_that_ends_idle_says_nothing() -> None:
    packets = DroppedPackets()
    assert packets.link_ended([]) is None
    assert packets.link_ended([]) is None


def test_a_topic_on_which_nothing_was_ever_taken_is_suspected_when_the_link_ends_there_twice() -> None:
    packets = DroppedPackets()
    packets.confirmed((KNOWN, 900))
    assert packets.link_ended([(NEW, 300), (KNOWN, 300)]) is None
    suspicion = packets.link_ended([(NEW, 200)])
    assert suspicion is not None
    assert suspicion.topic == NEW
    assert "may not let us publish there" in str(suspicion)
    assert packets.link_ended([(KNOWN, 300)]) is None, "that topic is taken"
    assert packets.link_ended([(NEW, 300)]) is None, "twice in a row, and no less"
    packets.confirmed((NEW, 300))
    assert packets.link_ended([(NEW, 300)]) is None


def test_who_sends_on_more_topics_than_are_remembered_is_told_nothing_of_topics() -> None:
    packets = DroppedPackets()
    for number in range(MAX_TOPICS + 1):
        packets.confirmed((f"lab/{number}", 900))
    assert packets.link_ended([(NEW, 300)]) is None
    assert packets.link_ended([(NEW, 300)]) is None
