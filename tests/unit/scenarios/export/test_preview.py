from __future__ import annotations

from scenarios.export.about import About
from scenarios.export.data_package import WrittenTable
from scenarios.export.preview import preview
from scenarios.export.table import Table


def test_names_of_strangers_are_text_and_nothing_is_loaded(about: About, tables: tuple[Table, ...]) -> None:
    page = preview(about, [WrittenTable(each, f"tables/{each.name}.csv", 7, "") for each in tables], []).decode()
    assert "Ada &lt;b&gt;Example&lt;/b&gt;" in page
    assert "<b>" not in page
    assert "<script" not in page
    assert "src=" not in page
    assert "default-src 'none'" in page
    assert "CC-BY-4.0" in page
    assert "10.1063/5.0138913" in page
