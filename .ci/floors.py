"""Print the lowest release of every dependency of the library and its extra ``batch``, as pip requirements."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
for requirement in (
    *project["project"]["dependencies"],
    *project["project"]["optional-dependencies"]["batch"],
):
    name, floor, marker = re.fullmatch(r"([\w-]+)>=([\d.]+)(;.*)?", requirement).groups()
    print(f"{name}=={floor}{marker or ''}")
