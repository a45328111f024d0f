"""Write the synchronous facade from the asynchronous namespaces; ``--check`` only compares.

Signatures and docstrings are copied, bodies are one call each, so the two colours cannot drift apart.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "src" / "crmcore" / "app"
TARGETS = {
    "facade.py": ("parties", "relationships", "interactions", "identity", "customers", "imports"),
    "consent_facade.py": ("consents", "preferences", "suppressions", "unsubscribes"),
    "rights_facade.py": ("rights_requests", "retaining"),
}
HEADER = '''"""The synchronous namespaces of `Crm`. Generated from the asynchronous ones: do not edit.

Invariant: each method has the name, the signature and the documentation of its asynchronous twin, and runs it to its
end without an event loop. Regenerate with ``python tests/tools/generate_facade.py``.
"""

from __future__ import annotations

'''


def imports_of(tree: ast.Module, module: str) -> dict[str, str]:
    """For each name that the module can use, the statement that imports it."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module != "__future__":
            for alias in node.names:
                name = alias.asname or alias.name
                suffix = f" as {alias.asname}" if alias.asname else ""
                found[name] = f"from {node.module} import {alias.name}{suffix}"
        elif isinstance(node, ast.ClassDef):
            found[node.name] = f"from crmcore.app.{module} import {node.name}"
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = f"from crmcore.app.{module} import {target.id}"
    return found


def names_in(nodes: list[ast.AST]) -> set[str]:
    """Every name that is used in *nodes*."""
    return {leaf.id for node in nodes for leaf in ast.walk(node) if isinstance(leaf, ast.Name)}


def method(node: ast.AsyncFunctionDef, class_name: str) -> tuple[str, set[str]]:
    """The synchronous method for an asynchronous one, and the names that its signature uses."""
    arguments = node.args
    passed = [argument.arg for argument in arguments.posonlyargs + arguments.args][1:]
    if arguments.vararg:
        passed.append(f"*{arguments.vararg.arg}")
    passed += [f"{argument.arg}={argument.arg}" for argument in arguments.kwonlyargs]
    if arguments.kwarg:
        passed.append(f"**{arguments.kwarg.arg}")
    assert node.returns is not None, f"{class_name}.{node.name} has no return annotation"
    doc = ast.get_docstring(node, clean=False)
    assert doc, f"{class_name}.{node.name} has no docstring"
    returns = ast.unparse(node.returns)
    runner = "run"
    if returns.startswith("AsyncIterator["):
        runner, returns = "drawn", returns.removeprefix("Async")
    call = f"{runner}(self._flow.{node.name}({', '.join(passed)}))"
    text = (
        f"    def {node.name}({ast.unparse(arguments)}) -> {returns}:\n"
        f'        """{doc}"""\n        return {call}\n'
    )
    names = names_in([arguments, node.returns])
    return text, ({*names, "Iterator", "drawn"} - {"AsyncIterator"} if runner == "drawn" else names)


def generate(modules: tuple[str, ...]) -> str:
    """The source of the facade of these modules."""
    lines: dict[str, str] = {
        "run": "from crmcore.storage.lift import run",
        "drawn": "from crmcore.storage.lift import drawn",
        "attrs": "import attrs",
        "Iterator": "from collections.abc import Iterator",
    }
    used: set[str] = {"run", "attrs"}
    classes: list[str] = []
    for module in modules:
        tree = ast.parse((APP / f"{module}.py").read_text("utf-8"))
        lines.update(imports_of(tree, module))
        for node in tree.body:
            if not isinstance(node, ast.ClassDef) or not node.name.startswith("Async"):
                continue
            methods = [
                method(item, node.name)
                for item in node.body
                if isinstance(item, ast.AsyncFunctionDef) and not item.name.startswith("_")
            ]
            used |= {node.name}.union(*(names for _, names in methods))
            head = (
                f"@attrs.frozen\nclass {node.name.removeprefix('Async')}:\n"
                f'    """{ast.get_docstring(node, clean=False)}"""\n\n    _flow: {node.name}\n\n'
            )
            classes.append(head + "\n".join(text for text, _ in methods))
    needed = [lines.pop(name) for name in ("attrs", "run")]
    drawn = lines.pop("drawn")
    needed += [drawn] if "drawn" in used else []
    # What only signatures name is not imported at run time: an app pays for the namespaces that it uses.
    named = sorted({f"    {lines[name]}" for name in used if name in lines})
    checking = ["from typing import TYPE_CHECKING", *needed, "", "if TYPE_CHECKING:", *named]
    return HEADER + "\n".join(checking) + "\n\n\n" + "\n\n".join(classes)


def formatted(source: str, target: Path) -> str:
    """The source as the project's formatter and import sorter leave it."""
    for arguments in (["check", "--fix", "--quiet", "--select", "I"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(target), "-"]
        source = subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout
    return source


def main() -> int:
    """Write the facades, or with ``--check`` say whether they are up to date."""
    for name, modules in TARGETS.items():
        target = APP / name
        wanted = formatted(generate(modules), target)
        if "--check" not in sys.argv[1:]:
            target.write_text(wanted, "utf-8")
        elif not target.exists() or target.read_text("utf-8") != wanted:
            print(f"app/{name} is not up to date: run python tests/tools/generate_facade.py", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
