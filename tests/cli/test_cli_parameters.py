"""Values of --param."""

import pytest
import typer

from lancesql.cli import read_parameters


def test_values_are_json_when_they_read_as_json() -> None:
    texts = [
        "q=[0.5, 1]",
        "n=3",
        "yes=true",
        "none=null",
        'code="007"',
        "name=Alien",
        "empty=",
        "e=a=b",
        "d=2024-01-01",
    ]
    assert read_parameters(texts) == {
        "q": [0.5, 1],
        "n": 3,
        "yes": True,
        "none": None,
        "code": "007",
        "name": "Alien",
        "empty": "",
        "e": "a=b",
        "d": "2024-01-01",
    }


def test_no_parameter_is_none() -> None:
    assert read_parameters([]) is None


def test_a_name_may_carry_its_dollar() -> None:
    assert read_parameters(["$q=1"]) == {"q": 1}


def test_numbers_are_positions() -> None:
    assert read_parameters(["2=b", "1=[1]"]) == [[1], "b"]


def test_values_from_files(tmp_path) -> None:
    (tmp_path / "vector.json").write_text("[0.25, 0.5]\n")
    (tmp_path / "note.txt").write_text("wör\n")
    texts = [f"q=@{tmp_path / 'vector.json'}", f"note=@{tmp_path / 'note.txt'}"]
    assert read_parameters(texts) == {"q": [0.25, 0.5], "note": "wör\n"}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["q"], "not NAME=VALUE"),
        (["=1"], "not NAME=VALUE"),
        (["a b=1"], "not NAME=VALUE"),
        (["q=1", "q=2"], "given twice"),
        (["q=1", "1=2"], "cannot be mixed"),
        (["1=a", "3=b"], "positions must be 1 to 2, not 1, 3"),
        (["q=@/nowhere/at/all.json"], "cannot read"),
    ],
)
def test_what_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        read_parameters(texts)
    assert message in str(caught.value)


def test_a_json_file_must_be_json(tmp_path) -> None:
    (tmp_path / "vector.json").write_text("[0.25, ")
    with pytest.raises(typer.BadParameter, match="not valid JSON"):
        read_parameters([f"q=@{tmp_path / 'vector.json'}"])
