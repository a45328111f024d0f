"""Write a page of the reference for every shipped pack, from the pack itself; ``--check`` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from crmcore.consent.pack import Pack, Rule
from crmcore.consent.pack_reading import shipped_packs
from crmcore.consent.words import STAGES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "reference" / "packs"

NOTICE = """\
:::{warning}
This is engineering data, not legal advice. It says what the rules of crmcore do, so that a lawyer can look at them; it
does not say what the law is. *Read in the source* means that the citation was read in the text of the law or of a
court; every other one was written down from memory and may be wrong.
:::
"""
STAGE = {
    "classify": "What a message is",
    "stop": "Hard stops",
    "no": "The person's no",
    "register": "Registers",
    "permit": "What permits",
    "form": "Form",
    "time": "Hours",
    "cap": "How often",
    "policy": "Policy",
}
EFFECT = {"deny": "forbids", "permit": "permits", "classify": "classifies", "note": "notes"}
INDEX = """\
# Packs

The law that comes with crmcore, pack by pack: every rule with its sentence, its dates and its citation. These pages are
generated from the packs. How a pack is written is in {doc}`/how-to/write-a-pack`, how its rules become an answer in
{doc}`/explanation/how-a-decision-is-made`.

"""


def page(pack: Pack) -> str:
    """The page of one pack."""
    return "\n".join(_lines(pack)) + "\n"


def _lines(pack: Pack) -> Iterator[str]:
    read = sum(rule.read for rule in pack.rules)
    yield f"# {pack.name}"
    yield ""
    yield f"Pack `{pack.id}`, version {pack.version}, for {_where(pack)}; its days begin and end in `{pack.zone}`."
    yield ""
    yield NOTICE
    if pack.rules:
        own = "its one rule" if len(pack.rules) == 1 else f"its {len(pack.rules)} rules"
        yield f"Citations of {own} that were read in the source: {read}."
    else:
        yield "It has no rules of its own."
    if pack.note:
        yield ""
        yield pack.note
    if pack.includes:
        names = ", ".join(f"{{doc}}`{name}`" for name in pack.includes)
        yield ""
        yield f"The rules of {names} hold here too" + (
            f", but for {', '.join(f'`{one}`' for one in sorted(pack.without))}." if pack.without else "."
        )
    if pack.citing:
        yield ""
        yield "They are cited here by other names:"
        yield ""
        for before, after in pack.citing.items():
            yield f"- {before}: {after}"
    if pack.leap_birthday == "feb28":
        yield ""
        yield "Who was born on 29 February turns a year older on 28 February of other years."
    yield from _numbers(pack)
    for stage in STAGES:
        rules = [rule for rule in pack.rules if rule.stage == stage]
        if rules:
            yield ""
            yield f"## {STAGE[stage]}"
            for rule in rules:
                yield ""
                yield from _rule(rule)


def _where(pack: Pack) -> str:
    if pack.beside_law:
        return f"whoever asks it beside the law, with `Policy(beside=['{pack.jurisdiction}'])`"
    return "every jurisdiction that no pack knows" if pack.jurisdiction == "*" else f"`{pack.jurisdiction}`"


def _numbers(pack: Pack) -> Iterator[str]:
    if pack.numbers:
        yield ""
        yield "| number | value | in force | citation |"
        yield "| --- | --- | --- | --- |"
        for one in pack.numbers:
            yield f"| {one.name} | {one.value} | {_dates(one.since, one.until)} | {one.cite} |"
    if pack.graces:
        yield ""
        yield "Time to process a no, for those who ask for the whole of it:"
        yield ""
        for grace in pack.graces:
            yield (
                f"- {grace.number} days for {', '.join(sorted(grace.channels))}"
                + (f" ({', '.join(sorted(grace.purposes))})" if grace.purposes else "")
                + (f" after the right {grace.right} is exercised" if grace.right else "")
                + f", counted as `{grace.counting}`, "
                f"in force {_dates(grace.since, grace.until)}" + (f" ({grace.cite})" if grace.cite else "")
            )


def _rule(rule: Rule) -> Iterator[str]:
    about = [
        f"{what}: {', '.join(sorted(found))}"
        for what, found in (("by", rule.channels), ("for", rule.purposes))
        if found
    ]
    yield f"### `{rule.id}`"
    yield ""
    yield rule.text
    yield ""
    yield f"- {EFFECT[rule.effect]}" + (f" as {rule.becomes}" if rule.becomes else "")
    for line in about:
        yield f"- {line}"
    yield f"- in force {_dates(rule.since, rule.until)}"
    if rule.defeated_by:
        yield f"- defeated by {', '.join(f'`{one}`' for one in rule.defeated_by)}"
    yield f"- {rule.cite} ({'read in the source' if rule.read else 'from memory'})"


def _dates(since: date | None, until: date | None) -> str:
    if since is None and until is None:
        return "at all times"
    if until is None:
        return f"from {since} on"
    return f"until {until}" if since is None else f"from {since} to {until}"


def pages() -> dict[Path, str]:
    """Every page, by its place."""
    packs = shipped_packs()
    found = {FOLDER / f"{id}.md": page(pack) for id, pack in packs.items()}
    listed = "\n".join(sorted(packs, key=lambda id: (id != "eu", packs[id].name)))
    found[FOLDER / "index.md"] = f"{INDEX}{NOTICE}\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n"
    return found


def main() -> int:
    """Write all pages, or say which of them is not what it should be."""
    wanted = pages()
    surplus = [path for path in FOLDER.glob("*.md") if path not in wanted]
    if "--check" not in sys.argv:
        FOLDER.mkdir(parents=True, exist_ok=True)
        for path, text in wanted.items():
            path.write_text(text, encoding="utf-8")
        for path in surplus:
            path.unlink()
        return 0
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    for path in (*stale, *surplus):
        print(f"{path.relative_to(ROOT)} is out of date: run python tests/tools/generate_pack_pages.py")
    return len(stale) + len(surplus)


if __name__ == "__main__":
    sys.exit(main())
