"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "crmcore"
MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))
# The kit times what it checks.
BELOW_APP = [name for name in MODULES if name.split("/")[0] not in {"app", "cli", "testing", "__main__.py"}]
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter", "time_ns", "environ", "getenv"}
FILE_LINES, FUNCTION_LINES = 600, 50


def tree(name: str) -> ast.Module:
    return ast.parse((SOURCE / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_a_module_says_what_it_keeps_and_stays_small(name: str) -> None:
    lines = len((SOURCE / name).read_text(encoding="utf-8").splitlines())
    assert lines <= FILE_LINES
    assert lines == 0 or ast.get_docstring(tree(name)), "a module begins with what it is and what it keeps"


@pytest.mark.parametrize("name", MODULES)
def test_a_function_fits_on_a_screen(name: str) -> None:
    for node in ast.walk(tree(name)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert lines <= FUNCTION_LINES, f"{node.name} has {lines} lines"


@pytest.mark.parametrize("name", BELOW_APP)
def test_the_domain_asks_no_clock_and_no_environment(name: str) -> None:
    for node in ast.walk(tree(name)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            asked = node.value.id in {"datetime", "date", "time", "os"} and node.attr in CLOCKS
            waits = (
                name.startswith("storage/") and node.attr == "monotonic"
            )  # for a time limit, not for a fact
            assert waits or not asked, (
                f"line {node.lineno}: {node.value.id}.{node.attr}; take it as an argument"
            )


def test_every_silenced_warning_has_a_reason() -> None:
    silenced = re.compile(r"#\s*(type:\s*ignore|pyright:\s*ignore|noqa)\S*(?P<rest>.*)")
    for folder in ("src", "tests", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = silenced.search(line)
                if match and path != Path(__file__):
                    assert re.search(r"#\s*\w|[-:] \w", match["rest"]), (
                        f"{path.relative_to(ROOT)}:{number} gives no reason"
                    )
