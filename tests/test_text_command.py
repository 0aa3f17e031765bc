"""`python -m text` shows the steps, and stays quick to start."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.timing import children_seconds
from text import encode
from text.__main__ import main
from text.symbols import SYMBOL_TABLE_ID


def run(monkeypatch: pytest.MonkeyPatch, *args: str) -> int:
    monkeypatch.setattr(sys, "argv", ["text", *args])
    return main()


def test_the_table_shows_each_step(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "Dr. Xqzt paid $5.") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "written Dr. Xqzt paid $5." in lines
    assert "normalized Doctor Xqzt paid five dollars." in lines
    assert "five @F @AY1 @V cmudict 104, 86, 143" in lines
    assert any(
        line.startswith("Xqzt @EH1 @K @S @K @Y @UW1 @Z @IY1 @T @IY1 letters") for line in lines
    )


def test_the_table_shows_a_reading_and_how_sure_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "They record a record.") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    verb, noun = (line for line in lines if line.startswith("record"))
    assert re.fullmatch(r"record @R @AH0 @K @AO1 @R @D homograph record_vrb \d+% [\d, ]+", verb)
    assert re.fullmatch(r"record @R @EH1 @K @ER0 @D homograph record_nou \d+% [\d, ]+", noun)


def test_json_is_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("paid P EH1 D\n")
    assert run(monkeypatch, "He paid 2.", "--json", "--lexicon", str(lexicon)) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["symbol_table"] == SYMBOL_TABLE_ID
    (segment,) = shown["segments"]
    assert segment["normalized"] == "He paid two."
    expected = encode("He paid two.", lexicon={"paid": ("P", "EH1", "D")})
    assert segment["symbol_ids"] == expected


def test_a_lexicon_with_two_readings_is_read_by_the_neighbours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lexicon = tmp_path / "lexicon.txt"
    lexicon.write_text("github:noun G IH1 T\ngithub:verb HH AH1 B\n")  # of the additions as well
    assert run(monkeypatch, "I want to github the github.", "--lexicon", str(lexicon)) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    verb, noun = (line for line in lines if line.startswith("github"))
    assert verb.startswith("github @HH @AH1 @B homograph github:verb")
    assert noun.startswith("github @G @IH1 @T homograph github:noun")


def test_errors_are_one_line_and_exit_status_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "say {HH XX0}") == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_benchmark_measures_both_stages(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("It cost $5.\nHello.\n")
    assert run(monkeypatch, "--benchmark", str(path)) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == [
        *("normalize", "encode"),
    ]


def test_help_imports_neither_torch_nor_inflect() -> None:
    code = (
        "import sys, runpy; sys.argv = ['text', '--help']\n"
        "try: runpy.run_module('text', run_name='__main__')\n"
        "except SystemExit: print(not {'torch', 'inflect', 'numpy'} & set(sys.modules))"
    )
    start = children_seconds()
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.endswith("True\n")
    assert children_seconds() - start < 1.0  # half of it where nothing else runs; torch takes two
