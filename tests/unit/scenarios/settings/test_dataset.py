from __future__ import annotations

import pytest
from pydantic import ValidationError

from scenarios.settings.dataset import DatasetSettings, licence_of, link_of, orcid_of, ror_of


@pytest.mark.parametrize("said", ["0000-0002-1825-0097", "https://orcid.org/0000-0002-1694-233X"])
def test_an_orcid_is_taken_with_its_checksum(said: str) -> None:
    assert orcid_of(said) == said.removeprefix("https://orcid.org/")


@pytest.mark.parametrize("said", ["0000-0002-1825-0098", "0000-0002-1825-009", "Josiah", "0000-0002-1694-2330"])
def test_an_orcid_with_a_wrong_digit_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="ORCID"):
        orcid_of(said)


def test_a_ror_identifier_is_taken_with_its_checksum() -> None:
    assert ror_of("https://ror.org/01ggx4157") == "01ggx4157"
    assert ror_of("03yrm5c26") == "03yrm5c26"
    for wrong in ("01ggx4158", "cern", "01ggx415"):
        with pytest.raises(ValueError, match="ROR"):
            ror_of(wrong)


def test_a_licence_is_one_that_spdx_lists_as_spdx_writes_it() -> None:
    assert licence_of("cc-by-4.0") == "CC-BY-4.0"
    with pytest.raises(ValueError, match=r"did you mean 'CC-BY-4\.0'"):
        licence_of("CC-BY-40")
    for wrong in ("MIT OR Apache-2.0", "LicenseRef-ours", "free", ""):
        with pytest.raises(ValueError, match="no licence that SPDX lists"):
            licence_of(wrong)


def test_a_source_is_a_doi_or_a_web_address() -> None:
    for said in ("10.1063/5.0138913", "doi:10.1063/5.0138913", "https://doi.org/10.1063/5.0138913"):
        assert link_of(said) == "https://doi.org/10.1063/5.0138913"
    assert link_of("https://example.org/x") == "https://example.org/x"
    for wrong in ("see below", "javascript:alert(1)", "https://user:secret@example.org/"):
        with pytest.raises(ValueError, match="neither a DOI"):
            link_of(wrong)


def test_settings_say_what_is_wrong_where() -> None:
    with pytest.raises(ValidationError, match="wrong digit"):
        DatasetSettings.model_validate({"creators": [{"name": "x", "orcid": "0000-0002-1825-0098"}]})
    assert DatasetSettings().licence is None
