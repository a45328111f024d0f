"""What is shipped, and what importing it costs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "pyproject.toml"
HEAVY = {
    "phonenumbers",
    "email_validator",
    "rapidfuzz",
    "dns",
    "idna",
    "asyncio",
    "numpy",
    "pytest",
    "hypothesis",
}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    assert file.name.endswith("-py3-none-any.whl")
    return zipfile.ZipFile(file)


def test_the_wheel_holds_the_package_whole_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    source = ROOT / "src"
    files = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    shipped = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert "crmcore/py.typed" in shipped
    assert shipped == files


def test_the_wheel_carries_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    texts = {
        name.split(".dist-info/")[-1]: wheel.read(name).decode()
        for name in wheel.namelist()
        if ".dist-info/" in name
    }
    assert texts["licenses/LICENSE"].startswith("MIT License")
    assert "License-Expression: MIT" in texts["METADATA"]
    assert "crmcore = crmcore.cli:main" in texts["entry_points.txt"]


def test_importing_crmcore_loads_nothing_heavy() -> None:
    program = "import sys, json, crmcore; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert HEAVY.isdisjoint(json.loads(done.stdout))


def test_every_dependency_has_a_floor_no_cap_and_a_reason() -> None:
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    lines = PROJECT.read_text(encoding="utf-8").splitlines()
    for requirement in project["dependencies"]:
        assert re.fullmatch(r"[\w-]+>=[\d.]+(; .+)?", requirement), requirement
        (line,) = (line for line in lines if line.strip().startswith(f'"{requirement}"'))
        assert re.search(r" # \w", line), f"{requirement} does not say why it is needed"


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    places = re.compile(
        r"(?<![\w./<\"'~-])/(?:home|root|work|Users|tmp|opt|mnt|var/tmp)/\w|[A-Z]:\\Users|\.\./shared"
    )
    written = [ROOT / "README.md", PROJECT, ROOT / ".ci" / "run"]
    for folder in ("src", "tests", "docs", "examples", ".ci"):
        written += [
            path
            for path in (ROOT / folder).rglob("*")
            if path.suffix in {".py", ".md", ".toml", ".html", ".txt"}
        ]
    for path in written:
        found = places.search(path.read_text(encoding="utf-8", errors="replace"))
        assert found is None or path == Path(__file__), f"{path.relative_to(ROOT)}: {found}"
