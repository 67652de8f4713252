"""How much of a file is read."""

from typing import Final

MAX_TABLE_ROWS: Final = 2_000_000
"""Most rows: eight times the largest public set of crystals, and 40 features of them still fit 640 MB of memory."""

MAX_TABLE_BYTES: Final = 4 * 1024**3
"""Largest file [byte], packed and unpacked: `MAX_TABLE_ROWS` rows of 2 kB; a larger one would not fit the memory of a
laptop."""

MAX_STRUCTURE_BYTES: Final = 16 * 1024**2
"""Largest file of one structure in a folder [byte]: ten times a CIF that holds its diffraction data as well."""

MAX_FOLDER_FILES: Final = MAX_TABLE_ROWS
"""Most files of a folder of structures: one for each row that a table may have."""
