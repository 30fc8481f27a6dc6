"""Fixture files: cases of a title, options, a text and what is expected of it.

```text
-- a title
-- params: {"q": [1, 0, 0, 0]}
SELECT …
----
what is expected, up to the next title
```

`pytest --complete` writes what came out into the file, for a reader of the diff to judge.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FIXTURES = Path(__file__).resolve().parent / "fixtures"
_OPTION = re.compile(r"-- (params|rules|read_only): (.+)")


@dataclass
class Case:
    """One case: its title, options, text and expected block."""

    title: str
    text: str
    expected: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def parameters(self) -> object:
        """The parameters, as Python writes them."""
        return eval(self.options["params"]) if "params" in self.options else None

    def write(self) -> str:
        """The case as its file holds it."""
        options = "".join(f"-- {name}: {value}\n" for name, value in self.options.items())
        return f"-- {self.title}\n{options}{self.text}\n----\n{self.expected}\n"


def read_cases(path: Path) -> list[Case]:
    """The cases of a file."""
    cases: list[Case] = []
    for block in re.split(r"(?m)^(?=-- (?!params:|rules:|read_only:))", path.read_text(encoding="utf-8")):
        if not block.strip():
            continue
        head, _, expected = block.partition("\n----\n")
        lines = head.split("\n")
        options: dict[str, str] = {}
        while len(lines) > 1 and (match := _OPTION.fullmatch(lines[1])):
            options[match.group(1)] = match.group(2)
            del lines[1]
        title = lines[0].removeprefix("-- ")
        cases.append(Case(title, "\n".join(lines[1:]).strip("\n"), expected.strip("\n"), options))
    assert cases, f"{path.name} has no cases"
    assert len({case.title for case in cases}) == len(cases), f"{path.name} has a title twice"
    return cases


def list_files(folder: str) -> list[Path]:
    """The fixture files of a folder."""
    return sorted((FIXTURES / folder).glob("*.sql"))


def check_file(path: Path, render: Callable[[Case], str], *, complete: bool) -> None:
    """Compares every case of a file with what `render` makes of it, or writes it down."""
    cases = read_cases(path)
    if complete:
        for case in cases:
            case.expected = _render(case, render)
        path.write_text("\n".join(case.write() for case in cases), encoding="utf-8")
        return
    for case in cases:
        assert _render(case, render) == case.expected, f"{path.name}: {case.title}"


def _render(case: Case, render: Callable[[Case], str]) -> str:
    text = render(case)
    return "\n".join(line.rstrip() for line in text.strip("\n").split("\n"))
