"""Docstrings read from sources that were never imported."""

import textwrap
from pathlib import Path

import pytest

from lancesql.demo.corpus import modules_to_table, objects_to_table, write_contexts
from lancesql.demo.docstrings import find_library, read_library

SHOP = '''\
"""Sells things. And buys some."""

import os
from . import prices

raise SystemExit("never imported")


class Shop(object):
    """A shop.

    It has a door.
    """

    def open(self, hour: int = 9, *, quietly=False) -> bool:
        """Open
        the door."""

    def silent(self): ...

    class Door:
        """A door."""

        async def close(self):
            """Close it."""


if os.name == "nt":
    def pay():
        """Pay by cheque."""
else:
    def pay():
        """Pay in cash."""


try:
    from elsewhere import quick
except ImportError:
    def quick(): "Slow."
'''


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    files = {
        "shop/__init__.py": SHOP,
        "shop/prices.py": '"""Prices."""\nimport shop\nimport os\nSIGN = "\\d"\n',
        "os.py": "import shop.prices\n",
        "empty.py": "",
        "broken.py": "def (:\n",
        "test/test_shop.py": '"""Tests."""\n',
        "site-packages/other.py": '"""Installed."""\n',
        "sub/__pycache__/cached.py": '"""Cached."""\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.py").write_bytes(b'# -*- coding: latin-1 -*-\n"""Caf\xe9."""\n')
    (tmp_path / "garbled.py").write_bytes(b'"""Caf\xe9."""\n')
    (tmp_path / "surrogate.py").write_text('"""Half \\ud800."""\n')
    (tmp_path / "nul.py").write_bytes(b"x = 1\0\n")
    return tmp_path


def test_every_documented_object_is_found_once(sources: Path) -> None:
    found = {item.name: item for item in read_library(sources).objects}
    assert list(found) == [
        "latin",
        "shop",
        "shop.Shop",
        "shop.Shop.Door",
        "shop.Shop.Door.close",
        "shop.Shop.open",
        "shop.pay",
        "shop.prices",
        "shop.quick",
        "surrogate",
    ]
    assert {name: item.kind for name, item in found.items() if item.module == "shop"} == {
        "shop": "module",
        "shop.Shop": "class",
        "shop.Shop.Door": "class",
        "shop.Shop.Door.close": "method",
        "shop.Shop.open": "method",
        "shop.pay": "function",
        "shop.quick": "function",
    }
    assert found["shop.pay"].text == "Pay by cheque."
    assert found["latin"].text == "Café."
    assert found["surrogate"].text == "Half ?."


def test_what_an_object_says_of_itself(sources: Path) -> None:
    found = {item.name: item for item in read_library(sources).objects}
    assert found["shop"].summary == "Sells things."
    assert found["shop"].text == "Sells things. And buys some."
    assert (found["shop"].signature, found["shop"].lines) == ("", SHOP.count("\n"))
    assert found["shop.Shop"].signature == "class Shop(object)"
    assert found["shop.Shop.open"].signature == "open(self, hour: int=9, *, quietly=False) -> bool"
    assert found["shop.Shop.open"].summary == "Open the door."
    assert found["shop.Shop.open"].lines == 3
    assert found["shop.Shop.open"].file == "shop/__init__.py"
    assert found["shop.Shop.Door.close"].signature == "async close(self)"


def test_modules_are_counted(sources: Path) -> None:
    modules = {item.module: item for item in read_library(sources).modules}
    assert modules.keys() == {"empty", "latin", "os", "shop", "shop.prices", "surrogate"}
    assert (modules["shop"].imports, modules["shop"].imported_by) == (2, 1)
    assert (modules["shop.prices"].imports, modules["shop.prices"].imported_by) == (2, 2)
    assert (modules["os"].imports, modules["os"].imported_by, modules["os"].lines) == (1, 2, 1)
    assert modules["shop.prices"].package == "shop"
    assert modules["empty"].lines == 0


def test_a_long_summary_ends_at_a_word(tmp_path: Path) -> None:
    (tmp_path / "long.py").write_text('"""' + textwrap.fill("word " * 60, 70) + '"""\n')
    (summary,) = [item.summary for item in read_library(tmp_path).objects]
    assert summary.endswith("word…")
    assert len(summary) <= 120


def test_reading_twice_gives_the_same(sources: Path) -> None:
    assert read_library(sources) == read_library(sources)


def test_a_folder_without_sources_is_empty(tmp_path: Path) -> None:
    assert read_library(tmp_path).objects == ()


def test_tables_and_contexts_have_a_row_for_each(sources: Path) -> None:
    import pyarrow as pa

    library = read_library(sources)
    vectors = pa.array([[0.5, 0.5]] * len(library.objects), pa.list_(pa.float32(), 2))
    table = objects_to_table(library, vectors)
    assert table.column_names == ["name", "module", "kind", "signature", "summary", "text", "lines", "file", "vector"]
    assert table["name"].to_pylist() == [item.name for item in library.objects]
    assert modules_to_table(library)["module"].to_pylist() == [item.module for item in library.modules]
    contexts = dict(zip(table["name"].to_pylist(), write_contexts(library), strict=True))
    assert "A shop." in contexts["shop.Shop.open"]
    assert "Sells things." in contexts["shop.Shop.open"]
    assert "A shop." not in contexts["shop.pay"]


@pytest.mark.slow
def test_the_library_of_this_python() -> None:
    library = read_library(find_library())
    found = {item.name: item for item in library.objects}
    assert len(found) > 5000
    assert found["json.loads"].kind == "function"
    assert found["json.loads"].signature.startswith("loads(s, *, cls=None")
    assert not [name for name in found if name.startswith(("test.", "idlelib."))]
    assert max(library.modules, key=lambda module: module.imported_by).module in {"os", "re", "warnings", "codecs"}
