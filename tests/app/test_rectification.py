"""Somebody asks to have something put right: what is corrected, what stays so, and who is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crmcore import Crm, Person
from crmcore.consent import RightsRequest
from crmcore.errors import InvalidRightsRequest
from crmcore.party.history import PartyChanged
from tests.app.requests import Clock, collecting, customers

FILE = """id,full_name,email,birth_date,occupation,city
1,Ann Lee,ann@x.example,1980-02-28,smith,York
"""


def imported(crm: Crm, folder: Path, text: str = FILE, source: str = "shop") -> dict[str, int]:
    path = folder / "people.csv"
    path.write_text(text, "utf-8")
    plan = crm.imports.plan(path, source=source, id_column="id", date_order="ymd")
    crm.imports.apply(plan)
    return {name: number for name, number in plan.counts.items() if number}


def right(person: Person) -> Person:
    """What is true: another day of birth, another address, and another name."""
    return (
        person.renamed("Ann Leigh")
        .without("ann@x.example")
        .with_email("leigh@x.example")
        .changed(birth_date=Person.of("x", birth_date="1980-02-29").birth_date, occupation=None)
    )


def asked(crm: Crm) -> RightsRequest:
    return collecting(crm, "ann@x.example", "rectification")


def the_person(crm: Crm) -> Person:
    (party,) = crm.parties.find(email="leigh@x.example")
    assert isinstance(party, Person)
    return party


def test_what_is_corrected_names_the_request_as_its_reason_and_is_decided_on(tmp_path: Path) -> None:
    crm = customers()
    imported(crm, tmp_path)
    request = asked(crm)
    (ann,) = crm.requests.rectify(request.id, right)
    assert ann == the_person(crm)
    last = crm.parties.history(ann.id)[-1]
    assert isinstance(last, PartyChanged)
    assert last.reason == f"request {request.id}"
    items = crm.requests.get(request.id).items
    assert {(one.item.split(" of ")[0], one.decision) for one in items} == {
        (field, "grant") for field in ("names", "contact_points", "birth_date", "occupation")
    }


@pytest.mark.parametrize("between", ["", FILE.replace("York", "Leeds"), "agrees", "other source"])
def test_no_import_brings_back_what_was_wrong(tmp_path: Path, between: str) -> None:
    """Not the same row, not one that changed elsewhere, and not one of a source that had agreed meanwhile."""
    crm = customers()
    imported(crm, tmp_path)
    crm.requests.rectify(asked(crm).id, right)
    corrected = the_person(crm)
    if between == "agrees":
        said = "id,full_name,email,birth_date,occupation,city\n1,Ann Leigh,leigh@x.example,1980-02-29,,York\n"
        assert imported(crm, tmp_path, said) == {"updated": 1}
    elif between == "other source":
        crm.parties.change(corrected.id, lambda p: p.with_source("other", "1"))
        assert imported(crm, tmp_path, source="other") == {"updated": 1}
    elif between:
        assert imported(crm, tmp_path, between) == {"updated": 1}
    imported(crm, tmp_path)
    imported(crm, tmp_path, FILE.replace("York", "Hull"))
    after = the_person(crm)
    for field in ("names", "emails", "birth_date", "occupation"):
        assert getattr(after, field) == getattr(corrected, field)
    assert crm.parties.find(email="ann@x.example") == ()


def test_what_a_source_says_newly_of_a_corrected_field_is_a_question_for_a_person(tmp_path: Path) -> None:
    crm = customers()
    imported(crm, tmp_path)
    crm.requests.rectify(asked(crm).id, right)
    assert imported(crm, tmp_path, FILE.replace("1980-02-28", "1981-01-01")) == {"conflicts": 1}


def _working_as(occupation: str) -> Callable[[Person], Person]:
    return lambda person: person.changed(occupation=occupation)


VALUES = st.sampled_from(["smith", "cook", "judge"])


@settings(max_examples=20)
@example([("correct", "cook"), ("row", "cook"), ("correct", "judge"), ("row", "judge"), ("row", "smith")])
@given(st.lists(st.tuples(st.sampled_from(["row", "correct"]), VALUES), min_size=1, max_size=6))
def test_whatever_comes_in_whatever_order_a_wrong_value_never_comes_back(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str]]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    clock = Clock()
    crm = customers(clock=clock)
    imported(crm, folder)
    request = asked(crm)
    wrong: set[str] = set()
    for kind, value in steps:
        clock.move(seconds=1)
        before = crm.parties.find(email="ann@x.example")[0]
        assert isinstance(before, Person)
        if kind == "row":
            imported(crm, folder, FILE.replace("smith", value))
        else:
            crm.requests.rectify(request.id, _working_as(value))
            wrong = (wrong | {str(before.occupation)}) - {value}
        (now,) = crm.parties.find(email="ann@x.example")
        assert isinstance(now, Person)
        assert now.occupation not in wrong


def test_only_what_is_surely_the_persons_is_corrected_unasked() -> None:
    crm = customers()
    for number in range(2):
        crm.parties.add(
            Person.of(
                "Ann Lee",
                email=f"ann@{'xy'[number]}.example",
                phone="+44 20 7946 0018",
                birth_date="1980-02-29",
                address="1 High Street, Leeds LS1 1AA",
            )
        )
    crm.identity.dedupe()
    request = asked(crm)
    (one,) = crm.requests.rectify(request.id, lambda p: p.changed(occupation="smith"))
    assert one.emails[0].raw == "ann@x.example"
    (other,) = crm.parties.find(email="ann@y.example")
    crm.requests.rectify(request.id, lambda p: p.changed(occupation="smith"), records=[other.id])
    assert crm.parties.get(other.id).version == other.version + 1
    bo = crm.parties.add(Person.of("Bo Hill"))
    with pytest.raises(InvalidRightsRequest, match="not this customer's"):
        crm.requests.rectify(request.id, lambda p: p, records=[bo.id])


def test_the_corrected_value_is_that_of_the_customer(tmp_path: Path) -> None:
    crm = customers()
    imported(crm, tmp_path)
    new = crm.parties.add(
        Person.of("Ann Lee", email="ann@y.example", birth_date="1980-02-28", observed_at=date(2026, 5, 3))
    )
    old = crm.parties.find(email="ann@x.example")[0]
    crm.identity.merge(old.id, new.id, reason="she said so")
    request = asked(crm)
    born = Person.of("x", birth_date="1980-02-29").birth_date
    done = crm.requests.rectify(request.id, lambda p: p.changed(birth_date=born), records=[old.id])
    assert len(done) == 1
    (known,) = crm.customers.view(old.id).field("birth_date")
    assert known.text == "1980-02-29"
    assert crm.parties.get(new.id) == new


def test_a_correction_done_again_writes_nothing_and_another_request_corrects_nothing() -> None:
    crm = customers()
    crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    request = asked(crm)
    assert len(crm.requests.rectify(request.id, lambda p: p.renamed("Ann Leigh"))) == 1
    before = crm.requests.get(request.id)
    assert crm.requests.rectify(request.id, lambda p: p.renamed("Ann Leigh")) == ()
    assert crm.requests.get(request.id) == before
    with pytest.raises(InvalidRightsRequest, match="corrects nothing"):
        crm.requests.rectify(collecting(crm, "ann@x.example", "access").id, lambda p: p)
    fresh = crm.requests.receive(
        "ann@x.example", right="rectification", law="gdpr", channel="web", zone="Europe/Berlin"
    )
    with pytest.raises(InvalidRightsRequest, match="collected or reviewed"):
        crm.requests.rectify(fresh.id, lambda p: p)


def test_a_batch_with_a_key_corrects_once() -> None:
    crm = customers()
    crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    request = asked(crm)
    results = []
    for _ in range(2):
        with crm.batch(idem="form 18") as batch:
            results.append(batch.requests.rectify(request.id, lambda p: p.renamed("Ann Leigh")))
    assert results[0] == results[1]
    assert len(crm.parties.history(results[0][0].id)) == 2


def test_whoever_got_the_data_is_to_be_told_and_the_request_stays_open_until_they_have_answered() -> None:
    crm = customers()
    ann = crm.parties.add(Person.of("Ann Lee", email="ann@x.example"))
    crm.consent.record("give", ann.id, purposes=["third_party_sharing"], recipients=["Gamma SA", "Delta"])
    request = asked(crm)
    for _ in range(2):
        crm.requests.rectify(request.id, lambda p: p.renamed("Ann Leigh"))
    notices = crm.requests.get(request.id).notices
    assert [(one.processor, one.what, one.told_at, one.due) for one in notices] == [
        (name, "rectify names", None, date(2026, 6, 4)) for name in ("Delta", "Gamma SA")
    ]
    crm.requests.move(request.id, "review")
    crm.requests.move(request.id, "respond", sha256="0" * 64)
    with pytest.raises(InvalidRightsRequest, match="2 who have the data were not told"):
        crm.requests.move(request.id, "close")
    with pytest.raises(InvalidRightsRequest, match="tell them first"):
        crm.requests.answered(request.id, "Delta", "rectify names", "done", proof_sha256="0" * 64)
    crm.requests.notify(request.id, "Delta", "rectify names")
    crm.requests.answered(request.id, "Delta", "rectify names", "done", proof_sha256="0" * 64)
    crm.requests.excuse(request.id, "Gamma SA", "rectify names", reason="it was wound up in 2025")
    assert crm.requests.move(request.id, "close").state == "closed"
