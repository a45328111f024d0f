"""Every block of the README, the docs and the examples' pages runs as printed, and none is left out."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from sybil.example import SybilFailure

from tests.docs.blocks import PAGES, ROOT, Page, declared
from tests.storage.postgres_server import new_database


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_as_printed(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    if "examples/" in text:
        ignore = shutil.ignore_patterns("*.db*", "report.html", "__pycache__")
        shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=ignore)
    monkeypatch.chdir(tmp_path)
    with ExitStack() as stack:
        if "CRM_DATABASE" in text:
            monkeypatch.setenv("CRM_DATABASE", stack.enter_context(new_database()))
        assert Page(text, str(ROOT / page)).run() == declared(text)


@pytest.mark.parametrize("fence", ["```py", "~~~python3", "```pycon", "```{code-cell} ipython", "```Python"])
def test_a_block_that_would_not_run_is_noticed(fence: str) -> None:
    text = f"{fence}\nassert False\n{fence[:3]}\n"
    assert declared(text) != Page(text).run()


@pytest.mark.parametrize(
    "text",
    [
        "```python\nassert 1 == 2\n```\n",
        "```python\n>>> 1 + 1\n3\n```\n",
        "```python\nprint('one')\n```\n\n```output\ntwo\n```\n",
        "```console\n$ crmcore --help\nno such text\n```\n",
        "```console\n$ rm -r nothing\n```\n",
        "1. In a list:\n\n   ```python\n   raise ValueError\n   ```\n",
        "```{code-block} python\nraise ValueError\n```\n",
    ],
)
def test_a_block_that_is_wrong_fails(text: str) -> None:
    with pytest.raises((SybilFailure, AssertionError, ValueError)):
        Page(text).run()


def test_blocks_share_names_and_what_they_print() -> None:
    text = "```python\na = 2\nprint('sum')\n```\n```python\n>>> a + 1\n3\n```\n```output\nsum\n```\n"
    assert Page(text).run() == declared(text) == ["python", "python", "output"]


def test_text_that_is_no_example_is_left_alone() -> None:
    text = "```toml\n[a]\n```\n\n```text\n>>> not run\n```\n\n```{toctree}\npython\n```\n"
    assert Page(text).run() == declared(text) == []
