"""`watch --json` tells each observation once and in order, and ends with the campaign."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import StoreError
from scenarios.watch.lines import watch_lines
from scenarios.watch.reading.find import open_run
from tests.support.large_runs import growing, write_run


def test_a_run_that_goes_on_is_told_as_it_goes(tmp_path: Path) -> None:
    run = write_run(tmp_path / "large", 20, ends=False)
    source = open_run(tmp_path / "large")
    looks = 0
    with growing(run) as connection:

        def go_on(_seconds: float) -> None:
            nonlocal looks
            looks += 1
            for _ in range(min(3, run.budget - run.observation)):
                run.step()
            run.commit(connection)

        lines = [json.loads(line) for line in watch_lines(source, go_on)]
    kinds = [next(iter(line)) for line in lines]
    assert (kinds[0], kinds[-1]) == ("campaign", "ended")
    points = [line["point"] for line in lines if "point" in line]
    assert [point["observation"] for point in points] == list(range(run.budget + 1))
    assert points[-1]["families"]["cubic"]["size"] > points[0]["families"]["cubic"]["size"]
    moments = [line["moment"] for line in lines if "moment" in line]
    assert [each["phase"] for each in moments] == ["running"] * (len(moments) - 1) + ["finished"]
    assert lines[-1]["ended"]["reason"] == "the budget is spent"
    assert looks == len(moments) - 1, "a moment for each change, and none without"
    source.close()


def test_a_run_that_cannot_be_read_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "campaign.db").write_bytes(b"")
    with pytest.raises(StoreError):
        next(watch_lines(open_run(tmp_path)))


def test_a_run_that_cannot_be_read_for_a_while_is_told_once(tmp_path: Path) -> None:
    run = write_run(tmp_path / "large", 20, ends=False)
    source, database = open_run(tmp_path / "large"), tmp_path / "large" / "campaign.db"
    aside = tmp_path / "aside"
    waits = iter(range(10))

    def trouble(_seconds: float) -> None:
        match next(waits):
            case 0:
                database.rename(aside)
            case 3:
                aside.rename(database)
                with growing(run) as connection:
                    while run.observation < run.budget:
                        run.step()
                    run.commit(connection)
            case _:
                pass

    lines = [json.loads(line) for line in watch_lines(source, trouble)]
    assert sum("problem" in line for line in lines) == 1
    assert "ended" in lines[-1]
    source.close()
