"""Reads a SMILES without a chemistry package: its atoms, formula and charge, and what keeps it from being a candidate.

Grammar and rule of the implicit hydrogens: OpenSMILES specification 1.0 (2016), sections 3 and 3.1.5. What is read here
is enough to name a molecule and to refuse what can be seen in the text: several fragments, a charge, isotopes, metals,
an odd number of electrons. Whether valences and rings make sense is for RDKit (`protocols.molecules.identity`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

ELEMENTS: Final = (
    "H", "He", "Li", "Be", "B", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "P", "S", "Cl", "Ar", "K", "Ca",
    "Sc", "Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu", "Zn", "Ga", "Ge", "As", "Se", "Br", "Kr", "Rb", "Sr", "Y",
    "Zr", "Nb", "Mo", "Tc", "Ru", "Rh", "Pd", "Ag", "Cd", "In", "Sn", "Sb", "Te", "I", "Xe", "Cs", "Ba", "La", "Ce",
    "Pr", "Nd", "Pm", "Sm", "Eu", "Gd", "Tb", "Dy", "Ho", "Er", "Tm", "Yb", "Lu", "Hf", "Ta", "W", "Re", "Os", "Ir",
    "Pt", "Au", "Hg", "Tl", "Pb", "Bi", "Po", "At", "Rn", "Fr", "Ra", "Ac", "Th", "Pa", "U", "Np", "Pu", "Am", "Cm",
    "Bk", "Cf", "Es", "Fm", "Md", "No", "Lr", "Rf", "Db", "Sg", "Bh", "Hs", "Mt", "Ds", "Rg", "Cn", "Nh", "Fl", "Mc",
    "Lv", "Ts", "Og",
)  # fmt: skip
"""Symbols in the order of the atomic number, from 1."""

NONMETALS: Final = frozenset({
    "H", "He", "B", "C", "N", "O", "F", "Ne", "Si", "P", "S", "Cl", "Ar", "Ge", "As", "Se", "Br", "Kr", "Sb", "Te",
    "I", "Xe",
})  # fmt: skip
"""Elements that molecules are made of: nonmetals, and the metalloids B, Si, Ge, As, Sb and Te. All others are metals to
us, as are the heaviest of which no molecule lives."""

VALENCES: Final[Mapping[str, tuple[int, ...]]] = {
    "B": (3,), "C": (4,), "N": (3, 5), "O": (2,), "P": (3, 5), "S": (2, 4, 6),
    "F": (1,), "Cl": (1,), "Br": (1,), "I": (1,),
}  # fmt: skip
"""Normal valences of the atoms that need no bracket; hydrogens fill up to the next one."""

ONE_IN_THE_RING: Final = frozenset("BCNP")
"""Aromatic atoms with a double bond in the ring, which takes one more of their valence; O and S give a lone pair."""

BOND_ORDERS: Final[Mapping[str, int]] = {"-": 1, "=": 2, "#": 3, "$": 4, ":": 1, "/": 1, "\\": 1}
"""Bond symbol -> its order; of an aromatic bond what is not in `ONE_IN_THE_RING`."""

_TOKEN: Final = re.compile(
    r"(?P<bracket>\[[^\[\]]*\])|(?P<atom>Cl|Br|[BCNOPSFI]|[bcnops])|(?P<bond>[-=#$:/\\])"
    r"|(?P<ring>%\d\d|\d)|(?P<open>\()|(?P<close>\))|(?P<dot>\.)"
)

_BRACKET: Final = re.compile(
    r"\[(?P<isotope>\d+)?(?P<symbol>[A-Z][a-z]?|se|as|te|[bcnops])(?:@(?:@|[A-Z]{2}\d{1,2})?)?(?P<hydrogens>H\d?)?"
    r"(?P<charge>\++\d*|-+\d*)?(?P<label>:\d+)?\]"
)


class SmilesError(ValueError):
    """Why a SMILES cannot be that of a candidate, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class SmilesContent:
    """What a SMILES says.

    Attributes:
        amounts: Atoms by element, hydrogens included.
        charge: Of the whole molecule [e].
    """

    amounts: Mapping[str, int]
    charge: int

    @property
    def formula(self) -> str:
        """The molecular formula in Hill's order: carbon, hydrogen, then by symbol; all by symbol without carbon."""
        first = ("C", "H") if "C" in self.amounts else ()
        order = sorted(self.amounts, key=lambda symbol: (symbol not in first, symbol))
        return "".join(symbol + (str(self.amounts[symbol]) if self.amounts[symbol] > 1 else "") for symbol in order)

    @property
    def atoms(self) -> int:
        """Number of atoms, hydrogens included."""
        return sum(self.amounts.values())

    @property
    def electrons(self) -> int:
        """Number of electrons."""
        return sum((ELEMENTS.index(symbol) + 1) * amount for symbol, amount in self.amounts.items()) - self.charge


@dataclass(slots=True)
class _Atom:
    """An atom of the text; `hydrogens` is None where they are implicit."""

    symbol: str
    aromatic: bool
    hydrogens: int | None
    charge: int = 0
    bonds: int = 0

    def implied_hydrogens(self) -> int:
        """How many hydrogens it has that the text leaves out."""
        if self.hydrogens is not None:
            return self.hydrogens
        valences = VALENCES[self.symbol]
        if self.aromatic:
            return max(0, valences[0] - self.bonds - (self.symbol in ONE_IN_THE_RING))
        return next((valence - self.bonds for valence in valences if valence >= self.bonds), 0)


def read_smiles(smiles: str) -> SmilesContent:
    """Return what a SMILES says.

    Raises:
        SmilesError: When it cannot be read, or is no single neutral molecule of nonmetals with paired electrons.
    """
    if not smiles:
        raise SmilesError("it is empty")
    atoms = _Reader().read(smiles)
    amounts: Counter[str] = Counter()
    for atom in atoms:
        amounts[atom.symbol] += 1
        amounts["H"] += atom.implied_hydrogens()
    content = SmilesContent(dict(+amounts), sum(atom.charge for atom in atoms))
    if metals := sorted(set(content.amounts) - NONMETALS):
        raise SmilesError(f"it has a metal, {', '.join(metals)}")
    if content.charge:
        raise SmilesError(f"it has a charge of {content.charge:+d}")
    if content.electrons % 2:
        raise SmilesError(
            f"its {content.electrons} electrons cannot all be paired: it is a radical, or has a wrong number of bonds"
        )
    return content


@dataclass(slots=True)
class _Reader:
    """Walks along a SMILES and adds up the bonds of every atom."""

    atoms: list[_Atom] = field(default_factory=list)
    branches: list[_Atom] = field(default_factory=list)
    rings: dict[str, tuple[_Atom, str]] = field(default_factory=dict)
    before: _Atom | None = None
    bond: str = ""

    def read(self, smiles: str) -> list[_Atom]:
        """Return the atoms.

        Raises:
            SmilesError: When the text is no SMILES of one fragment.
        """
        for kind, text in _tokens(smiles):
            getattr(self, f"_{kind}")(text)
        if self.bond or self.branches or self.rings:
            what = "a bond leads nowhere" if self.bond else "a ring or a branch is not closed"
            raise SmilesError(f"it cannot be read: {what}")
        return self.atoms

    def _atom(self, text: str) -> None:
        self._add(_Atom(text.capitalize(), text.islower(), hydrogens=None))

    def _bracket(self, text: str) -> None:
        self._add(_bracket_atom(text))

    def _bond(self, text: str) -> None:
        if self.bond or self.before is None:
            raise SmilesError(f"it cannot be read: there is no atom before {text!r}")
        self.bond = text

    def _ring(self, text: str) -> None:
        atom, number = self._required(text), text.lstrip("%0") or "0"
        if number not in self.rings:
            self.rings[number] = (atom, self.bond)
        else:
            other, bond = self.rings.pop(number)
            if other is atom:
                raise SmilesError("it cannot be read: an atom is bonded to itself")
            _join(atom, other, self.bond or bond)
        self.bond = ""

    def _open(self, text: str) -> None:
        self.branches.append(self._required(text))

    def _close(self, text: str) -> None:
        if not self.branches or self.bond:
            raise SmilesError(f"it cannot be read: {text!r} closes no branch, or the bond before it leads nowhere")
        self.before = self.branches.pop()

    def _dot(self, _text: str) -> None:
        raise SmilesError("it is more than one molecule, parted by '.'")

    def _add(self, atom: _Atom) -> None:
        if self.before is not None:
            _join(self.before, atom, self.bond)
        self.atoms.append(atom)
        self.before, self.bond = atom, ""

    def _required(self, text: str) -> _Atom:
        if self.before is None:
            raise SmilesError(f"it cannot be read: there is no atom before {text!r}")
        return self.before


def _tokens(smiles: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(smiles):
        found = _TOKEN.match(smiles, place)
        if found is None or found.lastgroup is None:
            raise SmilesError(f"it cannot be read from character {place + 1} on")
        yield found.lastgroup, found.group()
        place = found.end()


def _bracket_atom(text: str) -> _Atom:
    found = _BRACKET.fullmatch(text)
    symbol = "" if found is None else found["symbol"].capitalize()
    if found is None or symbol not in ELEMENTS:
        raise SmilesError(f"it cannot be read: {text!r} is no atom")
    if found["isotope"]:
        raise SmilesError(f"it names an isotope, {text!r}")
    if found["label"]:
        raise SmilesError(f"it numbers an atom, {text!r}")
    hydrogens = found["hydrogens"]
    count = 0 if hydrogens is None else int(hydrogens[1:] or 1)
    return _Atom(symbol, found["symbol"].islower(), count, _charge(found["charge"] or ""))


def _charge(text: str) -> int:
    signs = text.rstrip("0123456789")
    size = int(text[len(signs) :] or len(signs) or 0)
    return -size if signs.startswith("-") else size


def _join(one: _Atom, other: _Atom, bond: str) -> None:
    order = BOND_ORDERS.get(bond, 1)
    one.bonds += order
    other.bonds += order
