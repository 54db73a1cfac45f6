"""Runs the command line in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

import jsonschema
import pytest

from optalloc.cli.main import main


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    def document(self, schema: str) -> Any:
        """Return the one JSON document on standard output, held against its schema."""
        found = json.loads(self.out)
        text = resources.files("optalloc").joinpath("schemas", f"{schema}.json").read_text(encoding="utf-8")
        jsonschema.validate(found, json.loads(text))
        return found


class Cli:
    """Calls `optalloc` with arguments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch = monkeypatch
        self.capsys = capsys

    def __call__(self, *arguments: object) -> Ran:
        self.monkeypatch.setattr("sys.argv", ["optalloc", *(str(a) for a in arguments)])
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert "Traceback" not in printed.out + printed.err
        return Ran(ended.value.code, printed.out, printed.err)
