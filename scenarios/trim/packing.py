"""Packed files are written as they were packed; the same rows give the same bytes, whenever they are packed."""

from __future__ import annotations

import bz2
import gzip
import importlib
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, cast

GZIP_LEVEL: Final = 6
"""gzip's own default: more takes three times as long for a per cent."""

NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a ZIP archive can tell: its members have none of their own."""


@contextmanager
def packed(file: BinaryIO, suffix: str, member: str) -> Iterator[BinaryIO]:
    """Give a stream whose bytes are packed into a file.

    Args:
        file: Where to write; it stays open.
        suffix: The last part of the file's name, in lower case; what is none of a packing is written as it is.
        member: What the packed file is called, where an archive wants a name.
    """
    if suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            inside = zipfile.ZipInfo(member, NO_TIME)
            inside.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(inside, "w", force_zip64=True) as stream:
                yield cast("BinaryIO", stream)
    elif (opened := _stream(file, suffix)) is None:
        yield file
    else:
        with opened as stream:
            yield stream


def _stream(file: BinaryIO, suffix: str) -> Any:
    """Return a stream that packs what is written to it; None where nothing is to be packed."""
    match suffix:
        case ".gz":
            return gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0)  # without name and time
        case ".bz2":
            return bz2.BZ2File(file, "wb")
        case ".xz":
            return lzma.LZMAFile(file, "wb")
        case ".zst":
            return importlib.import_module("zstandard").ZstdCompressor().stream_writer(file, closefd=False)
        case _:
            return None
