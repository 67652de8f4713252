"""Makes beds of molecules: designs, what was measured or is known of them, and their features, in two tables.

| bed | parents | values |
|---|---|---|
| of a ring | benzene | of the lab |
| of edits | molecules that we make ourselves | of the lab |
| of edits in a table | molecules of the table | of the table; parent and product must stand in it |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from protocols.errors import SettingsError, TableError
from protocols.molecules.features import molecule_features
from protocols.molecules.growth import grown_molecules, heavy_atoms_of
from simulators.evaluator import EvaluationFailed
from simulators.molecules.batch import Outcome, measure_all
from simulators.molecules.bed_tables import FEATURES, TABLE, write_features, write_known_table, write_table
from simulators.molecules.benzenes import benzene_designs
from simulators.molecules.edit_beds import EditDesign, designs_among, edit_designs
from simulators.molecules.known_values import read_known_values

MAX_PARENTS: Final = 2_000
"""Most molecules of a table that are edited: some minutes' work, and many more designs than a campaign looks at."""


@dataclass(frozen=True, slots=True)
class BedMaker:
    """Makes a bed in a folder.

    Attributes:
        folder: Where the tables are written; neither may be there.
        say: Called with a sentence on what was found.
        progress: Called with what is being done, how much of it is done, and how much there is.
    """

    folder: Path
    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]

    @property
    def paths(self) -> tuple[Path, Path]:
        """Table of designs and table of features."""
        return self.folder / TABLE, self.folder / FEATURES

    def require_room(self) -> None:
        """Check that nothing is overwritten.

        Raises:
            SettingsError: When one of the tables is there.
        """
        for path in self.paths:
            if path.exists():
                raise SettingsError(
                    f"{path} is there already", expected="a folder without a bed", action="name another"
                )

    def of_a_ring(self, groups: Mapping[str, str], positions: Sequence[str], *, fidelity: str, processes: int) -> None:
        """Make a bed of benzenes; those that cannot be measured keep their rows, with nothing in them.

        Raises:
            EntropilotError: When the bed is none, or cannot be measured or written.
            SmilesError: When a molecule can be no candidate.
        """
        designs = benzene_designs(groups, positions)
        molecules = sorted({design.smiles for design in designs})
        self.say(f"{len(designs)} designs of {len(molecules)} molecules")
        outcomes = self._measured(molecules, fidelity, processes)
        features = dict(zip(molecules, molecule_features(molecules).tolist(), strict=True))
        self.folder.mkdir(parents=True, exist_ok=True)
        write_table(self.paths[0], designs, outcomes)
        write_features(self.paths[1], features)

    def of_edits(self, heavy_atoms: int, groups: Mapping[str, str], *, fidelity: str, processes: int) -> None:
        """Make a bed of edits of our own molecules; those that cannot be measured are left out.

        Args:
            heavy_atoms: Most atoms but hydrogen of a parent.
            groups: Name and SMILES of each group.
            fidelity: The lab's method.
            processes: How many molecules are measured at once.

        Raises:
            EntropilotError: When the bed is none, or cannot be measured or written.
        """
        designs = self._designs(grown_molecules(heavy_atoms), groups)
        features = self._features(designs)
        outcomes = self._measured(sorted(features), fidelity, processes)
        measured = {smiles for smiles, each in outcomes.items() if not isinstance(each, EvaluationFailed)}
        kept = self._kept(designs, measured)
        self.folder.mkdir(parents=True, exist_ok=True)
        write_table(self.paths[0], kept, outcomes)
        write_features(self.paths[1], {each.smiles: features[each.smiles] for each in kept})

    def of_known(self, table: Path, columns: tuple[str, str], heavy_atoms: int, groups: Mapping[str, str]) -> None:
        """Make a bed of edits between molecules of a table.

        Args:
            table: With molecules and values.
            columns: Its columns of SMILES and values.
            heavy_atoms: Most atoms but hydrogen of a parent.
            groups: Name and SMILES of each group.

        Raises:
            EntropilotError: When the table cannot be used, or no edit leads from one of its molecules to another.
        """
        known = read_known_values(table, *columns, lambda *done: self.progress("read", *done))
        self.say(known.words)
        parents = [smiles for smiles in known.values if heavy_atoms_of(smiles) <= heavy_atoms]
        if not 0 < len(parents) <= MAX_PARENTS:
            raise SettingsError(
                f"{len(parents):,} molecules of {table} have at most {heavy_atoms} heavy atoms",
                expected=f"1 to {MAX_PARENTS:,} parents that groups are put on",
                action="allow smaller ones" if parents else "allow larger ones",
            )
        designs = designs_among(self._designs(parents, groups), known.values)
        features = self._features(designs)
        kept = self._kept(designs, set(features))
        self.folder.mkdir(parents=True, exist_ok=True)
        write_known_table(self.paths[0], kept, known.values, columns[1])
        write_features(self.paths[1], {each.smiles: features[each.smiles] for each in kept})

    def _designs(self, parents: Sequence[str], groups: Mapping[str, str]) -> tuple[EditDesign, ...]:
        return edit_designs(parents, groups, lambda *done: self.progress("edited parents", *done))

    def _features(self, designs: Sequence[EditDesign]) -> dict[str, list[float]]:
        """Return the features of the molecules that have some."""
        molecules = sorted({design.smiles for design in designs})
        features = {}
        for done, smiles in enumerate(molecules, 1):
            try:
                features[smiles] = molecule_features([smiles])[0].tolist()
            except TableError as error:
                self.say(f"left out: {error}")
            self.progress("described", done, len(molecules))
        return features

    def _measured(self, molecules: Sequence[str], fidelity: str, processes: int) -> dict[str, Outcome]:
        def progress(done: int, total: int) -> None:
            self.progress("measured", done, total)

        outcomes = measure_all(molecules, fidelity=fidelity, processes=processes, progress=progress)
        for smiles, outcome in outcomes.items():
            if isinstance(outcome, EvaluationFailed):
                self.say(f"not measured: {smiles}: {outcome.detail}")
        return outcomes

    def _kept(self, designs: Sequence[EditDesign], molecules: set[str]) -> tuple[EditDesign, ...]:
        """Return the designs of these molecules that can be compared, and say how many there are."""
        kept = designs_among(designs, molecules)
        places, parents = len({each.place for each in kept}), len({each.parent for each in kept})
        self.say(
            f"{len(kept)} designs of {len({each.smiles for each in kept})} molecules: {parents} parents with {places} "
            f"places"
        )
        return kept
