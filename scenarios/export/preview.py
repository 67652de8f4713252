"""`ro-crate-preview.html`: a crate for people, one page without script, style from elsewhere, or any request. Pure.

All text is escaped: names of families, candidates and people are what strangers wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from scenarios.export.about import NO_LICENCE, About
from scenarios.export.data_package import WrittenTable
from scenarios.export.ro_crate import CrateFile

FILE: Final = "ro-crate-preview.html"

STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;"
    "background:#fff}table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}th,td{text-align:left;"
    "vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #ddd;overflow-wrap:anywhere}"
    "body{overflow-wrap:anywhere}th{white-space:nowrap}td:first-child{min-width:6rem}"
    ".n{white-space:nowrap;text-align:right}"
    "code{font:14px ui-monospace,monospace}a{color:#0b5394}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#16181c}th,td{border-color:#3a3d42}a{color:#8ab8ec}}"
)


def preview(about: About, tables: Sequence[WrittenTable], others: Sequence[CrateFile]) -> bytes:
    """Return the page.

    Args:
        about: What is said of the run.
        tables: Its tables as they were written.
        others: The other files.
    """
    said = about.said
    licence = (
        NO_LICENCE if about.licence_url is None else f'<a href="{about.licence_url}">{escape(str(said.licence))}</a>'
    )
    works = "".join(f"<li>{escape(each.in_words)}</li>" for each in about.works)
    body = (
        f"<h1>{escape(said.title)}</h1><p>{escape(said.description)}</p>"
        f"<p>{escape(said.citation)}</p><p>Licence: {licence}</p>"
        f"{_facts(about)}<h2>Files</h2>{_files(tables, others)}<h2>Columns</h2>{''.join(map(_columns, tables))}"
        f"<h2>Works that it rests on</h2><ul>{works}</ul>"
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(said.title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
    return page.encode()


def _facts(about: About) -> str:
    campaign = about.campaign
    state = f"finished: {campaign['reason']}" if campaign["is_finished"] else "not finished when this was written"
    creators = "; ".join(
        ", ".join(filter(None, (each.name, each.affiliation, each.orcid and f"ORCID {each.orcid}")))
        for each in about.said.creators
    )
    measured = "; ".join(
        f"{each.described.name or each.id}: {each.values} values{f', {each.method}' if each.method else ''}"
        for each in about.instruments
    )
    rows = (
        ("Creators", creators or "not named"),
        ("Campaign", f"{campaign['name']}, {campaign['uid']}"),
        ("Property", f"{campaign['property']} [{campaign['unit'] or 'no unit'}]"),
        ("Decided by", f"policy {campaign['policy']}, seed {campaign['seed']}, entropies by {campaign['estimator']}"),
        ("Measured by", measured or "nobody yet"),
        ("Began", str(campaign["began_at"])),
        ("State", state),
        ("Journal", f"{campaign['journal_rows']} rows, last digest {campaign['journal_digest']}"),
        ("Software", ", ".join(f"{name} {version}" for name, version in about.software.items())),
    )
    return _table((), rows)


def _files(tables: Sequence[WrittenTable], others: Sequence[CrateFile]) -> str:
    rows = [(each.path, each.table.description, f"{each.size_bytes:,}") for each in tables]
    rows += [(each.path, each.description, f"{each.size_bytes:,}") for each in others]
    cells = "".join(
        f'<tr><td><a href="{escape(path, quote=True)}"><code>{escape(path)}</code></a></td><td>{escape(what)}</td>'
        f'<td class="n">{size}</td></tr>'
        for path, what, size in rows
    )
    return f'<table><tr><th>file</th><th>what it is</th><th class="n">bytes</th></tr>{cells}</table>'


def _columns(written: WrittenTable) -> str:
    rows = ((each.name, each.kind.value, each.unit, each.description) for each in written.table.columns)
    return f"<h3>{escape(written.table.title)}</h3>{_table(('column', 'type', 'unit', 'what it holds'), rows)}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = f"<tr>{''.join(f'<th>{escape(each)}</th>' for each in heads)}</tr>" if heads else ""
    cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{head}{cells}</table>"
