"""Every example in a docstring runs, and every public name says what it is."""

from __future__ import annotations

import doctest
import importlib
import inspect
import io
import pkgutil
import re
from pathlib import Path
from types import ModuleType

import pytest

import crmcore

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(crmcore.__path__, "crmcore.")
    if not module.name.endswith("__main__")  # importing it would run the command line
)
ROOMS = ["crmcore", *(name for name in MODULES if name.count(".") == 1 and "._" not in name)]
_PROMPT = re.compile(r"^\s*>>> ", re.MULTILINE)


def _public(module: ModuleType) -> dict[str, object]:
    return {name: getattr(module, name) for name in module.__all__}


@pytest.mark.parametrize("name", MODULES)
def test_every_example_in_a_docstring_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    report = io.StringIO()
    examples = 0
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        examples += len(test.examples)
        doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.write)
    assert not report.getvalue(), report.getvalue()
    assert module.__file__ is not None
    written = len(_PROMPT.findall(Path(module.__file__).read_text(encoding="utf-8")))
    assert examples == written, f"{written - examples} examples are where doctest does not find them"


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_is_public(room: str) -> None:
    module = importlib.import_module(room)
    assert len(set(module.__all__)) == len(module.__all__)
    assert module.__doc__
    for name, value in _public(module).items():
        assert not name.startswith("_") or name == "__version__"
        if inspect.isclass(value) or inspect.isfunction(value):
            assert value.__doc__, f"{room}.{name} does not say what it is"
