"""What came with a value, as people read it."""

from __future__ import annotations

import pytest

from scenarios.why.measured import measured_in_words, with_deviation

HEAT = {"name": "temperature", "value": 353.4, "unit": "K", "standard_deviation": 0.2}
MAIN = {"name": "yield", "value": 62.5, "unit": "%", "standard_deviation": None}
SIDE = {"name": "selectivity", "value": 91.0, "unit": "%", "standard_deviation": None}
FILE = {"name": "a.csv", "uri": "s3://raw/a.csv", "sha256": "ab" * 32, "size_bytes": 18244}


def test_each_kind_has_a_line_and_the_value_itself_none() -> None:
    details = {
        "quantities": [MAIN, SIDE],
        "replicates": [62.1, 62.4, 63.0],
        "conditions": [HEAT],
        "remarks": {"batch": "A", "stirred_rpm": 400.0},
        "files": [FILE],
        "structure": {
            "cell": [[3.6, 0.0, 0.0], [0.0, 3.6, 0.0], [0.0, 0.0, 3.6]],
            "symbols": ["Cu", "Cu", "Cu", "Cu"],
            "scaled_positions": [[0.0, 0.0, 0.0], [0.0, 0.5, 0.5], [0.5, 0.0, 0.5], [0.5, 0.5, 0.0]],
        },
    }
    assert list(measured_in_words(details, "yield")) == [
        "of 3 single measurements: 62.1, 62.4, 63",
        "with it came selectivity = 91 %",
        "measured at temperature = 353.4 ± 0.2 K",
        "remarks: batch: A, stirred_rpm: 400",
        "raw file a.csv (18,244 bytes, SHA-256 abababababab…): s3://raw/a.csv",
        "it ended as a crystal of 4 atoms, 11.66 Å^3 each, edges 3.6 3.6 3.6 Å",
    ]


def test_nothing_is_said_of_what_did_not_come() -> None:
    assert list(measured_in_words({}, "yield")) == []
    assert list(measured_in_words({"quantities": [MAIN]}, "yield")) == []
    plain = FILE | {"sha256": None, "size_bytes": None}
    assert list(measured_in_words({"files": [plain]}, "yield")) == ["raw file a.csv: s3://raw/a.csv"]


def test_of_many_the_first_ones_are_told() -> None:
    (line,) = measured_in_words({"replicates": list(map(float, range(100)))}, "yield")
    assert line.endswith("7, … (100 in all)")
    lines = list(measured_in_words({"files": [FILE] * 11}, "yield"))
    assert (len(lines), lines[-1]) == (9, "and 3 raw files more")


@pytest.mark.parametrize(("deviation", "told"), [(None, "1.5 eV"), (0.0, "1.5 eV"), (0.0213, "1.5 ± 0.021 eV")])
def test_a_value_is_told_with_its_uncertainty_where_there_is_one(deviation: float | None, told: str) -> None:
    assert with_deviation(1.5, deviation, "eV") == told
