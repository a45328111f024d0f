"""The manifest of the kit and the page of its rules are what the checks say."""

from __future__ import annotations

import pytest

from crmcore.testing.checks import GUARANTEES
from tests.tools import generate_guarantees


def test_the_manifest_and_the_page_are_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate_guarantees.py", "--check"])
    assert generate_guarantees.main() == 0


def test_a_rule_that_changed_is_noticed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["generate_guarantees.py", "--check"])
    monkeypatch.setattr(generate_guarantees, "GUARANTEES", GUARANTEES[1:])
    assert generate_guarantees.main() == 2
    assert "manifest.py is out of date" in capsys.readouterr().out
