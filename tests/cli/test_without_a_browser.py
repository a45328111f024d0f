"""Where there is no browser, nobody takes the tests that need one for passed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.browser import NOT_RUN

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("processes", ["0", "2"])
def test_a_missing_browser_is_said_in_one_line(tmp_path: Path, processes: str) -> None:
    words = ["-q", "-n", processes, "-p", "no:cacheprovider", "tests/cli/test_review_in_a_browser.py"]
    env = {**os.environ, "PATH": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert ran.returncode == 0
    assert [line for line in ran.stdout.splitlines() if NOT_RUN in line] == [NOT_RUN]
    assert "passed" not in ran.stdout
