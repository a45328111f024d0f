"""``crmcore consent``: replay what laws answer, and look a pack of rules over, and what a pack looks like.

Invariant: a table or a pack that cannot be read ends the command in a sentence; nothing of it is skipped.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from typing import Any

from crmcore.cli.terminal import DONE, REFUSED, Terminal


def run_consent_check(options: argparse.Namespace, terminal: Terminal) -> int:
    """Replay a table of decision vectors."""
    from crmcore.consent.pack_reading import shipped_laws
    from crmcore.consent.replay import Disagreement, replay
    from crmcore.consent.vectors import read_vectors

    total: Counter[str] = Counter()
    wrong: list[Disagreement] = []
    for jurisdiction, disagreement in replay(read_vectors(options.vectors)):
        total[jurisdiction] += 1
        if disagreement is not None:
            wrong.append(disagreement)
    if not total:
        terminal.error(f"{options.vectors.name} holds no vectors: it needs a header and a row for each")
        return REFUSED
    against = Counter(one.jurisdiction for one in wrong)
    document: dict[str, Any] = {
        "total": total.total(),
        "agree": total.total() - len(wrong),
        "by_jurisdiction": {
            name: {"total": total[name], "agree": total[name] - against[name]} for name in sorted(total)
        },
        "disagreements": [
            {
                "id": one.id,
                "confidence": one.confidence,
                "expected": one.expected,
                "got": one.got,
                "rule": one.rule,
            }
            for one in wrong
        ],
        "without_pack": [name for name in sorted(total) if not shipped_laws().knows(name)],
    }
    terminal.text("\n".join(_drawn(document, wrong)))
    terminal.result(document)
    return REFUSED if any(one.confidence == "high" for one in wrong) else DONE


def _drawn(document: dict[str, Any], wrong: list[Any]) -> Iterator[str]:
    width = max(len(name) for name in document["by_jurisdiction"])
    for name, counts in document["by_jurisdiction"].items():
        yield f"{name:<{width}}  {counts['agree']:>4} of {counts['total']}"
    yield f"{document['agree']} of {document['total']} agree"
    for name in document["without_pack"]:
        yield f"no pack speaks of {name}: its cases were judged by {_judged_by(name)} alone"
    for one in wrong:
        yield f"\n{one.id} ({one.confidence}): the table says {one.expected}, crmcore {one.got}"
        yield from (f"  {line}" for line in one.trace)


def _judged_by(name: str) -> str:
    from crmcore.consent.pack_reading import shipped_laws

    law = shipped_laws().of(name)
    return "the strict baseline" if law.jurisdiction == "*" else f"the law of {law.jurisdiction}"


def run_consent_lint(options: argparse.Namespace, terminal: Terminal) -> int:
    """Look a pack over, or all that ship."""
    from crmcore.consent.linting import Lint, lint
    from crmcore.consent.pack_reading import read_pack, shipped_packs
    from crmcore.errors import InvalidPack

    among = dict(shipped_packs())
    packs = list(among.values())
    if options.pack is not None:
        try:
            pack = read_pack(options.pack.read_text(encoding="utf-8"), options.pack.name)
        except (InvalidPack, UnicodeDecodeError) as error:
            why = str(error) if isinstance(error, InvalidPack) else f"{options.pack.name} is no UTF-8"
            refused = Lint(pack=options.pack.stem, level="error", code="unreadable", where="pack", text=why)
            return _linted(terminal, 1, 0, 0, (refused,))
        packs = [pack]
        among[pack.id] = pack
    found = lint(packs, among)
    return _linted(terminal, found.packs, found.citations, found.unread, found.findings)


def run_consent_schema(options: argparse.Namespace, terminal: Terminal) -> int:
    """Print the JSON Schema of a pack, with ``--json`` or without."""
    import json

    from crmcore.consent.schema_of_packs import pack_schema

    terminal.text(json.dumps(pack_schema(), indent=2, sort_keys=True))
    terminal.result(pack_schema())
    return DONE


def _linted(terminal: Terminal, packs: int, citations: int, unread: int, findings: tuple[Any, ...]) -> int:
    errors = sum(one.level == "error" for one in findings)
    document = {
        "packs": packs,
        "errors": errors,
        "notes": len(findings) - errors,
        "citations": citations,
        "unread": unread,
        "findings": [
            {"pack": one.pack, "level": one.level, "code": one.code, "where": one.where, "text": one.text}
            for one in findings
        ],
    }
    lines = [f"{one.level}  {one.pack}, {one.where}: {one.text} ({one.code})" for one in findings]
    lines.append(f"errors: {errors}, notes: {len(findings) - errors}, packs: {packs}")
    terminal.text("\n".join(lines))
    terminal.result(document)
    return REFUSED if errors else DONE
