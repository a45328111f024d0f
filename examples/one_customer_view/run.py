"""Real records in, one view of each customer out, and a wrong merge undone without a trace."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from crmcore import Actor, Crm
from crmcore.cli.report import report

HERE = Path(__file__).parent
OUT = HERE / "build"


def main() -> None:
    """Import, deduplicate, show, merge, unmerge, report."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with Crm.open(OUT / "crm.db") as crm:
        take_over(crm)
        deduplicate(crm)
        show(crm)
        merge_and_unmerge(crm)
        (OUT / "report.html").write_text(report(crm, focus="Hiroyuki Mizuno"), encoding="utf-8")
    print(
        f"\nopen {shown(OUT / 'report.html')}      next: crmcore show 'Mizuno' --store {shown(OUT / 'crm.db')}"
    )


def take_over(crm: Crm) -> None:
    """Each row is a person, an employer and a dated contact; the law firm is where it comes from."""
    started = time.perf_counter()
    plan = crm.imports.plan(
        HERE / "inventors.csv",
        source="inventors",
        source_column="Law firm",
        id_column="Filing",
        columns={
            "Employer": "employer",
            "Filed on": "contact_date",
            "Title": "contact_subject",
        },
    )
    print(plan.text())
    crm.imports.apply(plan)
    print(f"imported in {time.perf_counter() - started:.1f} s\n")


def deduplicate(crm: Crm) -> None:
    """Who is who among people, and among their employers."""
    started = time.perf_counter()
    print(f"{crm.identity.dedupe().text()}   {time.perf_counter() - started:.1f} s\n")


def show(crm: Crm) -> None:
    """One customer, with where every value comes from."""
    print(crm.customers.view("Hiroyuki Mizuno").text(), "\n")


def merge_and_unmerge(crm: Crm) -> None:
    """A clerk settles a doubtful pair, wrongly, and takes it back."""
    clerk = crm.acting_as(Actor(kind="person", id="you"))
    doubt = next(
        pair for pair in crm.identity.to_review(limit=1000) if crm.parties.get(pair.a).kind == "person"
    )
    before = crm.customers.view(doubt.a).digest, crm.customers.view(doubt.b).digest
    judgement = clerk.identity.merge(doubt.a, doubt.b, reason="they looked alike")
    merged = crm.customers.view(doubt.b)
    print(f"merged by you: {judgement.id}, now {merged.name} with {len(merged.members)} records")
    clerk.identity.retract(judgement.id, reason="two people after all")
    after = crm.customers.view(doubt.a).digest, crm.customers.view(doubt.b).digest
    print(f"unmerged {judgement.id}: digests {'identical to' if after == before else 'DIFFER from'} before")


def shown(path: Path) -> str:
    """The path as short as it can be from here."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


if __name__ == "__main__":
    main()
