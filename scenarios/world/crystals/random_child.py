"""The child process that draws random crystals with pyxtal: what it imports, seeds and breaks is its own.

pyxtal (S. Fredericks, K. Parrish, D. Sayre, Q. Zhu, Comput. Phys. Commun. 261, 107810 (2021)) draws from the generator
that it is given; the global generators are seeded too, for what its libraries may draw from them.
"""

from __future__ import annotations

import json
import random
import sys
from typing import Any, Final

from protocols.concurrency.children import serve_within
from protocols.extras import load

FAILED: Final = "failed"
STRUCTURE: Final = "structure"


def answer_to(question: bytes) -> bytes:
    """Draw one crystal: of a space group, elements, amounts in the conventional cell, and a seed."""
    import numpy as np

    asked: dict[str, Any] = json.loads(question)
    seed = int(asked["seed"])
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global generator is what a library may draw from
    crystal = load("pyxtal").pyxtal()
    try:
        crystal.from_random(
            3, asked["group"], asked["species"], asked["amounts"], random_state=np.random.default_rng(seed)
        )
        if not crystal.valid:
            return json.dumps({FAILED: "not valid"}).encode()
        structure = crystal.to_pymatgen().get_primitive_structure()
    except Exception as error:  # noqa: BLE001 - whatever a library raises, this draw has failed, and is counted
        return json.dumps({FAILED: type(error).__name__}).encode()
    written = {
        "cell": structure.lattice.matrix.tolist(),
        "symbols": [site.specie.symbol for site in structure],
        "positions": structure.frac_coords.tolist(),
    }
    return json.dumps({STRUCTURE: written}).encode()


def _main() -> None:
    load("pyxtal")
    serve_within(answer_to, float(sys.argv[1]))


if __name__ == "__main__":
    _main()
