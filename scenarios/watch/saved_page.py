"""A run as one HTML file: the page itself with all that it shows inside, for a stick, a paper's supplement or a wiki.

The file asks nobody for anything: its scripts and styles stand in it, and its content policy names them by their
digests and allows no request at all.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from protocols.storage.atomic_file import atomic_write
from scenarios.watch.one_script import one_script
from scenarios.watch.reading.find import find_run, open_run
from scenarios.watch.reading.source import MAX_ROWS, Source
from scenarios.watch.state.moment import DecisionCard, Moment
from scenarios.watch.state.tables import DatasetRow, JournalEntry

MAX_MOMENTS: Final = 1_000
"""Most observations whose moment is saved; of a longer run evenly spaced ones, to which its slider keeps. A moment
takes about 0.3 kB in the file."""

MAX_SAVED_ROWS: Final = 50_000
"""Most rows of the dataset, most decisions, and most of the journal's last rows that are saved."""

MAX_PAYLOADS: Final = 2_000
"""Up to so many rows of the journal are saved with all that they hold; of more only what people read."""

WHY_NOT: Final = "this is a saved page; orders are given on a live one"
"""Why it takes no orders."""


@dataclass(frozen=True, slots=True)
class SavedPage:
    """A file that was saved.

    Attributes:
        path: Where it is.
        size_bytes: Its size [byte].
    """

    path: Path
    size_bytes: int

    def as_json(self) -> str:
        """Return it for other programs."""
        return json.dumps({"path": str(self.path), "size_bytes": self.size_bytes})


def save_page(run: str, runs: Path, database: str | None, path: Path) -> SavedPage:
    """Save a run as one HTML file.

    Args:
        run: A run folder, or the name of a campaign below `runs`.
        runs: Where run folders are.
        database: Of another database than the folder's own, or than it remembers.
        path: Of the file.

    Raises:
        StoreError: When there is no such run, it cannot be read, or the file cannot be written.
    """
    ref = find_run(run, runs)
    source = open_run(ref.folder, database, ref.key)
    try:
        document = saved_page(source).encode()
    finally:
        source.close()
    with atomic_write(path) as file:
        file.write(document)
    return SavedPage(path, len(document))


def saved_page(source: Source) -> str:
    """Return a run as one self-contained document.

    Args:
        source: Of the run; it is read while it stands, so a run that goes on is saved as it is now.

    Raises:
        StoreError: When the run cannot be read.
    """
    card, content = source.card(), _content(source)
    about = {"key": source.key, "saved_at": datetime.now(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")}
    embedded = (
        _embedded("saved", "application/json", json.dumps(about).replace("<", "\\u003c")),
        _embedded("saved-content", "text/plain", _packed(json.dumps(content, ensure_ascii=False).encode())),
        _embedded("saved-series", "text/plain", _packed(_whole_series(source))),
    )
    return _document(card.name, embedded)


def _content(source: Source) -> dict[str, object]:
    latest = source.moment()
    journal, total = _journal(source, latest)
    return {
        "card": _plain(source.card()),
        "campaign": _plain(source.campaign()),
        "why_not": WHY_NOT,
        "latest": _plain(latest),
        "moments": [_plain(source.moment(each)) for each in moments_saved(latest.last_observation)],
        "decisions": [_plain(each) for each in _decisions(source)],
        "instruments": [_plain(each) for each in source.instruments()],
        "dataset": [_plain(each) for each in _dataset(source)],
        "set_aside": [_plain(each) for each in source.set_aside()],
        "journal": [_plain(each) for each in journal],
        "journal_total": total,
        "trust": _plain(source.trust()),
    }


def _whole_series(source: Source) -> bytes:
    """Return the series with all its bands, which a source measures little by little."""
    series = source.series()
    for _ in range(MAX_MOMENTS):
        known, series = series, source.series()
        if series == known:
            break
    return series


def _plain(model: BaseModel) -> dict[str, object]:
    return model.model_dump(mode="json")


def moments_saved(last: int | None) -> Sequence[int]:
    """Return the observations whose moments are saved: all, or evenly spaced ones with both ends.

    Args:
        last: Number of the latest observation; None before the first.
    """
    if last is None:
        return ()
    if last < MAX_MOMENTS:
        return range(last + 1)
    return sorted({round(last * each / (MAX_MOMENTS - 1)) for each in range(MAX_MOMENTS)})


def _decisions(source: Source) -> Iterator[DecisionCard]:
    found = source.decisions(0)
    while found:
        yield from found
        following = found[-1].decision + 1
        found = source.decisions(following) if following < MAX_SAVED_ROWS else []


def _dataset(source: Source) -> Iterator[DatasetRow]:
    for offset in range(0, MAX_SAVED_ROWS, MAX_ROWS):
        page = source.dataset(offset=offset)
        yield from page.rows
        if offset + len(page.rows) >= page.total:
            return


def _journal(source: Source, latest: Moment) -> tuple[list[JournalEntry], int]:
    """Return the journal's last rows, and how many it has in all."""
    rows: list[JournalEntry] = []
    after: int | None = max(latest.last_sequence - MAX_SAVED_ROWS, 0)
    keeps_payloads = latest.last_sequence <= MAX_PAYLOADS
    while after is not None:
        page = source.journal(after=after, limit=MAX_ROWS)
        rows += [each if keeps_payloads else each.model_copy(update={"payload": None}) for each in page.rows]
        after = page.next
    return rows, latest.last_sequence


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, mtime=0)).decode()


def _embedded(name: str, media: str, text: str) -> str:
    return f'<script type="{media}" id="{name}">{text}</script>'


def _document(name: str, embedded: Sequence[str]) -> str:
    page = files("scenarios.watch") / "page"
    icon = f"data:image/svg+xml;base64,{base64.b64encode((page / 'favicon.svg').read_bytes()).decode()}"
    styles = [
        (page / "vendor" / "uPlot.min.css").read_text(),
        (page / "style.css").read_text().replace("url(favicon.svg)", f"url({icon})"),
    ]
    scripts = [(page / "vendor" / "uPlot.iife.min.js").read_text(), one_script()]
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_digest, scripts))}",
            f"style-src {' '.join(map(_digest, styles))}",
            "img-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        f"<title>{_escaped(name)} – Entropilot</title>",
        f'<link rel="icon" href="{icon}">',
        *(f"<style>{style}</style>" for style in styles),
    )
    text = (page / "index.html").read_text()
    before, after = text.split('<meta name="viewport"', 1)
    _, after = after.split("<title>", 1)
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = after.split("</head>", 1)[1].split("</body>", 1)[0]
    licence = (page / "vendor" / "uPlot.LICENSE").read_text().replace("--", "—")
    return "\n".join(
        (
            before + viewport,
            *head,
            "</head>" + body,
            *embedded,
            f"<!-- uPlot 1.6.32:\n{licence}-->",
            *(f"<script>{script}</script>" for script in scripts),
            "</body>\n</html>\n",
        )
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
