"""The child process that reads structures for `protocols.structures.reader`: text in, outcome and features out."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from pydantic import TypeAdapter

from protocols.concurrency.children import serve_within
from protocols.errors import EntropilotError
from protocols.structures.reading import Outcome, ReadStructure, StructureSettings, UnreadStructure, said_by
from protocols.wire.structure import CrystalStructure

OUTCOME: Final[TypeAdapter[Outcome]] = TypeAdapter(Outcome)
"""What is read of a structure, as JSON; a number keeps all of its digits."""

FIRST: Final = b"="
"""Begins every question, for an empty text is one too."""

LENGTH_BYTES: Final = 8
"""Before the outcome in an answer stands its length; the features come after it."""

FIRST_TEXT: Final = """data_Cu
_symmetry_space_group_name_H-M 'P 1'
_cell_length_a 3.6
_cell_length_b 3.6
_cell_length_c 3.6
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_chemical_formula_sum Cu1
_cell_formula_units_Z 1
loop_
_atom_site_type_symbol
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Cu Cu1 0 0 0 1
"""
"""Read by every child before its first question: importing the libraries counts against no structure."""

Read = Callable[[str, StructureSettings], Outcome]
Describe = Callable[[CrystalStructure, float, float], Sequence[float]]
"""Makes features of a crystal, a symmetry tolerance [Å] and an angle tolerance [degree]."""


def command_of(settings: StructureSettings, read: str, describe: str) -> tuple[str, ...]:
    """Return module and arguments of a child.

    Args:
        settings: Of all structures that it will read.
        read: Its function, as `module:function`.
        describe: Likewise; empty where no features are wanted.
    """
    return (__name__, json.dumps(asdict(settings)), read, describe)


def question_of(text: str) -> bytes:
    """Return what a child is asked; any text, with whatever in it."""
    return FIRST + text.encode(errors="surrogatepass")


def answer_to(text: str, settings: StructureSettings, read: Read, describe: Describe | None) -> bytes:
    """Read one structure and describe it.

    Raises:
        MemoryError: Which is no property of the structure alone: the child is to die of it.
    """
    try:
        outcome = read(text, settings)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - a library may raise anything; it is the structure's fault, not ours
        found = f"a structure on which a library fails ({said_by(error)})"
        outcome = UnreadStructure("a library fails on the structure", found)
    row = b""
    if describe is not None and isinstance(outcome, ReadStructure):
        with suppress(EntropilotError):  # said by whoever makes the pool
            features = describe(outcome.crystal, settings.symmetry_tolerance, settings.angle_tolerance)
            row = json.dumps([float(each) for each in features]).encode()
    written = OUTCOME.dump_json(outcome)
    return len(written).to_bytes(LENGTH_BYTES, "big") + written + row


def parts_of(answer: bytes) -> tuple[bytes, bytes]:
    """Return outcome and features of an answer, as JSON; the features may be empty."""
    end = LENGTH_BYTES + int.from_bytes(answer[:LENGTH_BYTES], "big")
    return answer[LENGTH_BYTES:end], answer[end:]


def _loaded(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def _main() -> None:
    settings = StructureSettings(**json.loads(sys.argv[1]))
    read = _loaded(sys.argv[2])
    describe = _loaded(sys.argv[3]) if sys.argv[3] else None
    with suppress(MemoryError):
        answer_to(FIRST_TEXT, settings, read, describe)
    serve_within(
        lambda question: answer_to(
            question.removeprefix(FIRST).decode(errors="surrogatepass"), settings, read, describe
        ),
        settings.limit_s,
    )


if __name__ == "__main__":
    _main()
