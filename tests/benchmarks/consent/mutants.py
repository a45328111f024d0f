"""How many mutants of the packs the tables of cases tell from the packs as they are.

Run it from the root of the project::

    python -m tests.benchmarks.consent.mutants                 # the packs with rules of their own
    python -m tests.benchmarks.consent.mutants GB US-CA        # some of them, with what survives
    python -m tests.benchmarks.consent.mutants --all           # every law that ships
    python -m tests.benchmarks.consent.mutants --out FOLDER    # and the report, as a page

A mutant is a pack in which one thing is otherwise: a rule dropped, a defeater removed, a bound moved by one, an
in-force date shifted by a day, a part or a word of a condition dropped (see `changing`). It is killed by a row of
``tests/consent/*.csv`` that it answers otherwise, or by another rule, than the row states; or by the dates of statutes
in ``tests/consent/in_force.py``, to which a test holds the packs. What survives is named, so that somebody can say what
the law answers there, and add a row. Mutants that no question can tell from their pack stand in ``equivalent.toml``,
each with the reason; they are counted apart.

Rules beside the law are left out: no row of a table asks them, ``tests/consent/test_beside_law.py`` does.
"""

from __future__ import annotations

import argparse
import sys
import time
import tomllib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

import attrs

from crmcore.consent.pack import Pack
from crmcore.consent.pack_reading import shipped_packs
from tests.benchmarks.consent.changing import KINDS, Mutant, mutants
from tests.benchmarks.consent.stated import STATUTES, killer

EQUIVALENT = Path(__file__).parent / "equivalent.toml"


@attrs.frozen(kw_only=True)
class Tried:
    """A mutant, and what killed it, a row by its id or the dates of statutes; or why nothing can, or neither."""

    mutant: Mutant
    by: str | None
    equal: str | None


@cache
def equivalent() -> Mapping[str, str]:
    """Why no question can tell a mutant from its pack, by the mutant's name."""
    told: dict[str, str] = {}
    for group in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("group", ()):
        told.update(dict.fromkeys(group["mutants"], group["because"]))
    return told


def tried(packs: Iterable[Pack], one_in: int = 1) -> Iterator[Tried]:
    """Each mutant of *packs*, or about *one_in* so many, chosen by its name, with what came of it."""
    for pack in packs:
        for mutant in mutants(pack):
            if zlib.crc32(mutant.name.encode()) % one_in == 0:
                yield Tried(mutant=mutant, by=killer(mutant), equal=equivalent().get(mutant.name))


def able(found: Iterable[Tried]) -> list[Tried]:
    """Those that some question can tell from their pack."""
    return [one for one in found if one.equal is None]


def killed(found: Iterable[Tried]) -> list[Tried]:
    """Those of them that were killed."""
    return [one for one in able(found) if one.by is not None]


def table(found: list[Tried], heads: Mapping[str, str], of: str) -> Iterator[str]:
    """Lines of a table: of each of *heads*, and of all."""
    yield f"| {of} | mutants | equivalent | killed | by dates alone | % |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for key, head in (*heads.items(), ("", "**all**")):
        some = [one for one in found if key in ("", one.mutant.pack.id, one.mutant.kind)]
        if some:
            could, were = able(some), killed(some)
            dates = sum(one.by == STATUTES for one in were)
            share = 100 * len(were) / max(len(could), 1)
            cells = (head, len(some), len(some) - len(could), len(were), dates, f"{share:.1f}")
            yield f"| {' | '.join(format(one, ',') if isinstance(one, int) else one for one in cells)} |"


def _asked(places: list[str], everything: bool) -> list[Pack]:
    packs = list(shipped_packs().values())
    if places:
        return [pack for pack in packs if pack.jurisdiction in places or pack.id in places]
    return [pack for pack in packs if not pack.beside_law and (everything or pack.rules)]


def _report(found: list[Tried], packs: list[Pack]) -> Iterator[str]:
    yield from table(found, {pack.id: f"{pack.name} ({pack.jurisdiction})" for pack in packs}, "pack")
    yield ""
    yield from table(found, {kind: kind for kind in KINDS}, "what is otherwise")


def _watched(packs: list[Pack], one_in: int) -> Iterator[Tried]:
    """What comes of each mutant, while a line on standard error tells how far it is."""
    begin, told = time.perf_counter(), 0
    for number, one in enumerate(tried(packs, one_in), 1):
        told += one.by is not None
        if number % 50 == 0 and sys.stderr.isatty():
            seconds = time.perf_counter() - begin
            print(
                f"\r{one.mutant.pack.id}: {number:,} tried, {killed:,} killed, {seconds:.0f} s",
                end="",
                file=sys.stderr,
            )
        yield one
    print(f"\n{time.perf_counter() - begin:.0f} s", file=sys.stderr)


def _page(found: list[Tried], tables: list[str]) -> Iterator[str]:
    """The tables, and the names of what survives and of what is equivalent, the latter with the reasons."""
    yield from tables
    for head, some in (
        ("What no row tells from its pack yet", [one for one in able(found) if one.by is None]),
        ("What no question can tell from its pack", [one for one in found if one.equal is not None]),
    ):
        yield f"\n**{head}**\n"
        for because in dict.fromkeys(one.equal for one in some):
            if because is not None:
                yield f"\n{because}\n"
            yield from (f"- `{one.mutant.name}`" for one in some if one.equal == because)


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of the packs, and which of them the tables tell.")
    parser.add_argument("places", nargs="*", help="jurisdictions or packs; else all with rules of their own")
    parser.add_argument("--all", action="store_true", help="every law that ships")
    parser.add_argument("--one-in", type=int, default=1, help="only about one mutant in so many")
    parser.add_argument("--survivors", action="store_true", help="name what survives, also of many packs")
    parser.add_argument("--out", type=Path, help="a folder for the report as a page")
    given = parser.parse_args()
    packs = _asked(given.places, given.all)
    found = list(_watched(packs, given.one_in))
    tables = list(_report(found, packs))
    print("\n".join(tables))
    if given.places or given.survivors:
        for one in able(found):
            if one.by is None:
                print(f"survives: {one.mutant.name}")
    wrong = [one for one in found if one.by is not None and one.equal is not None]
    for one in wrong:
        print(f"called equivalent, but told by {one.by}: {one.mutant.name}")
    if given.out is not None:
        page = given.out / "consent_mutants.md"
        page.write_text("\n".join(_page(found, tables)) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
