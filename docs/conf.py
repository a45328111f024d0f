"""How the documentation is built: Sphinx, MyST, Furo. Nothing here reaches for the network."""

from __future__ import annotations

import pkgutil
import tomllib
from importlib import import_module
from pathlib import Path

import crmcore

_PROJECT = Path(__file__).parent.parent / "pyproject.toml"

project = "crmcore"
author = "crmcore contributors"
copyright = "2026, crmcore contributors"  # Sphinx's own name for it
release = version = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = [
    "_build",
    "measured/report.md",
    "measured/stores_table.md",
]  # parts of the page beside them
myst_enable_extensions = ["colon_fence", "deflist", "html_image"]
myst_heading_anchors = 3
suppress_warnings = ["ref.python"]  # the annotation `type[...]` and fields called type look alike to it

default_role = "code"  # single backticks in docstrings are code, as in Markdown
python_maximum_signature_line_length = 88
add_module_names = False
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "undoc-members": True, "show-inheritance": True}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "crmcore"
html_copy_source = False
html_show_sourcelink = False


def setup(_app: object) -> None:
    """Ask the rooms for all public names: they import them on first use, and autodoc lists only what is there."""
    rooms = [room.name for room in pkgutil.iter_modules(crmcore.__path__, "crmcore.")]
    for room in (*rooms, "crmcore.storage.adapter", "crmcore.storage.wrappers"):
        if not room.endswith("__main__"):
            module = import_module(room)
            for name in getattr(module, "__all__", ()):
                getattr(module, name)
