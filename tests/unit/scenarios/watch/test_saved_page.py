"""A run as one document: what it holds, what it may ask for, and what of a long run is left out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path

from scenarios.watch.reading.find import open_run
from scenarios.watch.saved_page import MAX_MOMENTS, moments_saved, saved_page
from tests.support.large_runs import write_run


def test_of_a_short_run_every_moment_is_saved_and_of_a_long_one_evenly_spaced_ones() -> None:
    assert list(moments_saved(7)) == list(range(8))
    assert list(moments_saved(None)) == []
    some = moments_saved(20_000)
    assert (len(some), some[0], some[-1]) == (MAX_MOMENTS, 0, 20_000)
    assert {later - earlier for earlier, later in pairwise(some)} <= {20, 21}


def part(document: str, name: str) -> str:
    """The text of a script element."""
    found = re.search(rf'<script type="[a-z/]+" id="{name}">(.*?)</script>', document)
    assert found is not None
    return found[1]


def test_a_document_holds_what_its_source_tells_and_names_each_script_and_style(tmp_path: Path) -> None:
    write_run(tmp_path / "run", 40)
    source = open_run(tmp_path / "run")
    try:
        document = saved_page(source)
        content = json.loads(gzip.decompress(base64.b64decode(part(document, "saved-content"))))
        assert [each["observation"] for each in content["moments"]] == list(range(41))
        assert content["moments"][17] == source.moment(17).model_dump(mode="json")
        assert content["latest"] == source.moment().model_dump(mode="json")
        assert len(content["dataset"]) == source.dataset().total
        assert content["journal"][-1]["sequence"] == source.version()
        assert gzip.decompress(base64.b64decode(part(document, "saved-series"))) == source.series()
    finally:
        source.close()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', document)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    for element in ("script", "style"):
        for text in re.findall(rf"<{element}>(.*?)</{element}>", document, re.DOTALL):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in policy[1]
    assert re.search(r'(src|href)="(?!data:|#main)', document) is None
