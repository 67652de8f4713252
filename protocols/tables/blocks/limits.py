"""How much of a table is read at a time, and how much may be kept."""

from typing import Final

from protocols.tables.formats.limits import MAX_TABLE_ROWS

IN_BLOCKS_FROM_ROWS: Final = MAX_TABLE_ROWS + 1
"""Rows from which on a table is read in blocks where nobody says how: what is smaller fits in memory, as before."""

MAX_MAPPED_ROWS: Final = 100_000_000
"""Most rows of a table that is read in blocks: a campaign holds some 30 bytes of each in memory."""

BLOCK_ROWS: Final = 16_384
"""Rows that are read at a time: 8 MiB of 64 features in double precision."""

MAX_BATCH_BYTES: Final = 512 * 1024**2
"""Largest record batch of an Arrow file [byte]: it is read whole, while of Parquet a part of a row group can be."""

SAMPLE_ROWS: Final = 4_096
"""Rows that are looked at for features that tell what is measured: one that tells it in all rows tells it in these."""

MAX_KEPT_BYTES: Final = 64 * 1024**3
"""Size of all kept tables from which on those that were not used for longest are thrown away [byte]."""

SPARE_BYTES: Final = 256 * 1024**2
"""Room that stays free on the disk beside what is kept [byte]: others write there too."""
