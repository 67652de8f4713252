"""Reading the text of a structure."""

from __future__ import annotations

import warnings

from pymatgen.io.cif import CifParser

from protocols.structures import parse

GROUPS = ("P m -3 m", "P 4/m m m", "P m -3 m", "P 4 m m")


def test_rows_of_a_group_that_was_met_before_are_read_as_alone() -> None:
    """Its operations are kept from the first of them; pymatgen's own reader keeps none."""
    lines = "_cell_length_a {a}\n_cell_length_b {a}\n_cell_length_c {a}\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
    lines += "_cell_angle_gamma 90\n_symmetry_space_group_name_H-M '{group}'\nloop_\n_atom_site_label\n"
    lines += "_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nCs 0 0 0\nCl 0.5 0.5 0.1\n"
    texts = [f"data_{place}\n" + lines.format(a=4 + place, group=group) for place, group in enumerate(GROUPS)]
    for text in texts:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            alone = CifParser.from_str(text)
            (expected,) = alone.parse_structures(primitive=False)
            kept = parse._parser().from_str(text)
            (found,) = kept.parse_structures(primitive=False)
        assert (found, kept.warnings) == (expected, alone.warnings)
