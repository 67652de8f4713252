"""Every bound of the protocol, with its unit and its reason. Nothing that a peer sends is unbounded."""

from typing import Final

PROTOCOL_VERSION: Final = 1
"""Version of the messages. A message of another version goes to the quarantine."""

MAX_PAYLOAD_BYTES: Final = 64 * 1024
"""Largest message, without signatures [byte]. A request with a 300-atom cell needs 30 kB; Mosquitto 2.1 refuses 2 MB
by default."""

MAX_SIGNATURES: Final = 64
"""Most signatures of one message: a request to "any" has one for each instrument of a lab, and a lab has no more."""

MAX_SIGNATURE_BYTES: Final = 160
"""Longest signature with its name [byte]: an id, 64 digits, and what stands between them."""

MAX_ENVELOPE_BYTES: Final = 2 * MAX_PAYLOAD_BYTES + MAX_SIGNATURES * MAX_SIGNATURE_BYTES + 1024
"""Largest payload with its signatures around it [byte]: as a string, at worst every character of it is escaped."""

MAX_TOPIC_BYTES: Final = 65_535
"""Longest topic [byte of UTF-8]: MQTT counts it in 16 bits."""

MAX_ID_LENGTH: Final = 64
"""Longest identifier [character]: fits a topic level and a file name on every system."""

MAX_SOURCE_ID_LENGTH: Final = 500
"""Longest id of a candidate as its table writes it [character]: a path, a DOI or an InChI fits, and three bytes a
character keep a request below MAX_PAYLOAD_BYTES."""

MAX_TEXT_LENGTH: Final = 500
"""Longest free text (a reason, a detail) [character]; longer ones are cut by the sender."""

MAX_ATOMS: Final = 500
"""Largest cell [atom]: keeps a request below MAX_PAYLOAD_BYTES and an evaluation within minutes."""

MAX_SMILES_LENGTH: Final = 1000
"""Longest SMILES [character]: two characters an atom of the largest molecule; most have below a hundred."""

MAX_NEW_CANDIDATES: Final = 64
"""Most candidates that one control adds: 1 kB each fit MAX_PAYLOAD_BYTES, and a person reads them."""

MAX_ADDED_RESULTS: Final = 200
"""Most values that one control adds: 300 bytes each fit MAX_PAYLOAD_BYTES; a longer file makes several controls."""

MAX_AWAITING_APPROVAL: Final = 256
"""Most decisions that can wait for approval: as many as candidates can be in flight."""

MAX_FEATURES: Final = 2000
"""Most features of a candidate that a control adds: 20 bytes each fit MAX_PAYLOAD_BYTES."""

MAX_QUANTITIES: Final = 32
"""Most properties in one result, and most conditions."""

MAX_SERVED: Final = 128
"""Most properties that an instrument names: a lab of crystals has 39, and may be asked for MAX_QUANTITIES at once."""

MAX_PARAMETERS: Final = 64
"""Most parameters of a candidate that are numbers, and most that are words: a recipe has a dozen."""

MAX_DESCRIPTION_BYTES: Final = 32 * 1024
"""Most that parameters, labels and features of one candidate take in a request [byte]: half of MAX_PAYLOAD_BYTES, for a
cell of 300 atoms takes the other half."""

MAX_SENT_FEATURES: Final = 1000
"""Most features in a request: the shortest take 33 bytes each, and all together MAX_DESCRIPTION_BYTES."""

MAX_JOINING_BYTES: Final = 8 * 1024
"""Most that parameters and labels of a candidate take that joins the pool later [byte]: beside the largest cell a
request has room for them."""

MAX_REPLICATES: Final = 256
"""Most single measurements behind one value: 25 bytes each, and more tell its mean no better."""

MAX_RAW_FILES: Final = 16
"""Most links to raw files in one result: a measurement writes a few, and an archive holds more."""

MAX_ELEMENTS: Final = 118
"""Most elements that an instrument names: all that have a name."""

MAX_FIDELITIES: Final = 32
"""Most methods that an instrument names: as many as properties of a result."""

MAX_SLOTS: Final = 4_096
"""Most candidates that an instrument works on at once: sixteen times what a campaign has in flight; a plate has 1,536
wells."""

MAX_PROVENANCE: Final = 32
"""Most remarks on how a result was made: a method, its parameters, what it did, and the versions of three programs."""

MAX_REMARK_LENGTH: Final = 200
"""Longest remark in words [character]: the energies of a dozen conformers fit."""

MAX_FAMILIES: Final = 500
"""Most families in one metrics report: 230 space groups fit, and the report stays below MAX_PAYLOAD_BYTES."""

MAX_BANDED_FAMILIES: Final = 64
"""Most families whose bands a metrics report tells: 50 µs each twice a second, and it stays below MAX_PAYLOAD_BYTES."""

MAX_ABS_VALUE: Final = 1e150
"""Largest magnitude of a number in a message, in its own unit: the squares of as many as a pool has still add up to a
number. What can be true of a property is narrower, and for its `valid_range` to say."""

USUAL_ABS_VALUE: Final = 1e12
"""Largest magnitude of a value that is believed where no `valid_range` says otherwise, in its own unit: most properties
stay far below, and beyond it a number is more often a fault than a measurement. Carriers per cm³ go to 1e22."""

MAX_COUNT: Final = 2**53 - 1
"""Largest whole number in a message: the largest that every JSON reader keeps exactly."""

MAX_DURATION_S: Final = 30 * 86_400.0
"""Longest evaluation, and longest deadline [s]: thirty days; beyond it a clock is wrong."""

RECEIVE_MAXIMUM: Final = 64
"""Messages that a broker may have unacknowledged towards us (MQTT 5): the back-pressure of the loop."""

MAX_QUEUED_INCOMING: Final = 256
"""Messages held in memory per connection: of the largest they are 16 MiB. Above RECEIVE_MAXIMUM, so only a broker
without flow control, or who publishes with QoS 0, can reach it; what it then drops is unacknowledged, and its sender
repeats it until the receipt."""

MAX_PUBLISHES_IN_FLIGHT: Final = 32
"""Publishes that await the broker's acknowledgement at once."""

MAX_QUARANTINE_ROWS: Final = 1000
"""Quarantined messages kept with their beginning; further ones are only counted."""

QUARANTINE_PREFIX_BYTES: Final = 1024
"""How much of a quarantined message is kept [byte]."""
