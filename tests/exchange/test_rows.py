from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmcore.exchange.facts import MAX_ROW, MESSAGES, Rejection, RowFacts, Skip
from crmcore.exchange.mapping import ColumnMap
from crmcore.exchange.reading import Row
from crmcore.exchange.rows import RowReader
from crmcore.party.party import Organization, Person
from crmcore.values.frozen_map import FrozenMap
from tests.exchange.files import PEOPLE, TODAY, facts, reads


def one(folder: Path, content: str, **options: Any) -> RowFacts:
    (found,) = facts(folder, content, **options)
    return found


def problems(row: RowFacts) -> list[tuple[str, str]]:
    return [(problem.field, problem.code) for problem in row.problems]


# --- the party ---


def test_a_row_becomes_a_person_with_everything_in_it(tmp_path: Path) -> None:
    ann, bo, chloe = facts(tmp_path, PEOPLE, id_column="Id", source="shop")
    assert isinstance(ann.party, Person)
    assert ann.party.name is not None
    assert (ann.party.name.full, ann.party.name.given, ann.party.name.family) == ("Ann Lee", "Ann", "Lee")
    assert ann.party.emails[0].key == "ann@x.org"
    assert ann.party.phones[0].key == "+442079460018"
    assert ann.party.addresses[0].value is not None
    assert ann.party.addresses[0].value.locality == "London"
    assert dict(ann.party.extras) == {"Shoe size": "42"}
    assert [(row.source.system, row.source.record) for row in (ann, bo, chloe)] == [
        ("shop", "1"),
        ("shop", "2"),
        ("shop", "3"),
    ]
    assert ann.party.sources == (ann.source,)
    assert chloe.party.emails == ()


def test_every_ready_column_finds_its_place(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "given_name,family_name,birth_date,email,phone,street_no,street,city,postcode,region,country,national_id,"
        "occupation,employer\n"
        "Ann,Lee,1985-04,ann@x.org,+442079460018,24,Low St,York,YO1 7HH,Yorkshire,United Kingdom,QQ123456C,"
        "baker,Rye Ltd\n",
    )
    party = row.party
    assert isinstance(party, Person)
    assert party.birth_date is not None
    assert party.birth_date.text == "1985-04"
    address = party.addresses[0].value
    assert address is not None
    assert (address.street_address, address.postal_code, address.administrative_area, address.country) == (
        "24 Low St",
        "YO1 7HH",
        "Yorkshire",
        "GB",
    )
    assert party.identifiers[0].scheme == "national_id"
    assert party.occupation == "baker"
    assert row.employer is not None
    assert row.employer.display_name == "Rye Ltd"
    assert party.extras == FrozenMap()
    assert row.problems == ()


def test_rows_of_organizations_are_organizations(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        'Site name,Address,Zip,Director\n Oak Centre ,"12 Elm St\nRear",60601,Mary\n',
        kind="organization",
    )
    assert isinstance(row.party, Organization)
    assert row.party.display_name == "Oak Centre"
    assert row.party.addresses[0].value is not None
    assert row.party.addresses[0].value.lines == ("12 Elm St", "Rear")
    assert dict(row.party.extras) == {"Director": "Mary"}


def test_without_a_kind_each_row_says_what_it_is(tmp_path: Path) -> None:
    person, firm = facts(tmp_path, "full_name,org_name,occupation\nAnn Lee,Rye Ltd,baker\n,Oak AB,bakery\n")
    assert isinstance(person.party, Person)
    assert person.employer is not None
    assert isinstance(firm.party, Organization)
    assert firm.employer is None
    assert dict(firm.party.extras) == {"occupation": "bakery"}


def test_several_values_in_a_cell_are_taken_apart(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "name,email,phone,tags,website\n"
        'Ann Lee,a@x.org ::: b@x.org,"+46 8 123 456 78; +46 8 123 456 79","vip, north;* late",x.org\n',
    )
    assert [point.key for point in row.party.emails] == ["a@x.org", "b@x.org"]
    assert [point.key for point in row.party.phones] == ["+46812345678", "+46812345679"]
    assert row.party.tags == {"vip", "north", "late"}
    assert [point.kind for point in row.party.contact_points][-1] == "online"


def test_a_number_over_two_lines_is_one_number(tmp_path: Path) -> None:
    row = one(tmp_path, 'name,phone\nAnn Lee,"(309)\n662-4202"\n', region="US")
    assert [point.key for point in row.party.phones] == ["+13096624202"]


def test_a_number_given_twice_is_kept_once(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "name,phone,fax,Phone 2\nAnn Lee,+46 8 123 456 78,+46812345678,0046 8 123 456 78\n",
        region="SE",
    )
    assert [point.raw for point in row.party.phones] == ["+46 8 123 456 78"]
    assert dict(row.party.extras) == {"fax": "+46812345678", "Phone 2": "0046 8 123 456 78"}


def test_what_a_point_is_for_follows_from_its_column(tmp_path: Path) -> None:
    row = one(tmp_path, "name,Mobile,Work phone,fax\nAnn Lee,+46701234567,+46812345678,+46812345679\n")
    assert [sorted(point.uses) for point in row.party.phones] == [["mobile"], ["work"], ["fax"]]


# --- what has no normal form is kept ---


@pytest.mark.parametrize(
    ("phone", "code"),
    [
        ("1.23E+10", "spreadsheet_scientific"),
        ("7.73E+016", "spreadsheet_scientific"),
        ("14155550132.0", "spreadsheet_float"),
        ("2262649", "local_only"),
        ("n/a", "no_digits"),
    ],
)
def test_a_ruined_phone_is_kept_as_written_and_counted(tmp_path: Path, phone: str, code: str) -> None:
    row = one(tmp_path, f"name,phone\nAnn Lee,{phone}\n")
    assert row.party.phones[0].raw == phone
    assert row.party.phones[0].value is None
    assert problems(row) == [("phone", code)]


def test_a_local_number_keeps_its_digits(tmp_path: Path) -> None:
    row = one(tmp_path, "name,phone\nAnn Lee,226-2649\n")
    assert row.party.phones[0].digits == "2262649"


def test_a_broken_e_mail_address_is_kept(tmp_path: Path) -> None:
    row = one(tmp_path, "name,email\nAnn Lee,ann@@x.org\n")
    assert (row.party.emails[0].raw, problems(row)) == ("ann@@x.org", [("email", "two_at")])


def test_an_impossible_birth_date_is_kept_under_its_column(tmp_path: Path) -> None:
    row = one(tmp_path, "name,born\nAnn Lee,1985-02-31\n")
    assert isinstance(row.party, Person)
    assert row.party.birth_date is None
    assert (dict(row.party.extras), problems(row)) == ({"born": "1985-02-31"}, [("birth_date", "range")])


def test_a_country_that_is_none_does_not_cost_the_address(tmp_path: Path) -> None:
    row = one(tmp_path, "name,city,country\nAnn Lee,York,Yorkshire\n")
    assert row.party.addresses[0].value is not None
    assert row.party.addresses[0].value.locality == "York"
    assert (dict(row.party.extras), problems(row)) == (
        {"country": "Yorkshire"},
        [("country", "unknown_country")],
    )


def test_an_address_that_is_too_long_is_kept_cell_by_cell(tmp_path: Path) -> None:
    row = one(tmp_path, f"name,street,city\nAnn Lee,{'x' * 3000},York\n")
    assert row.party.addresses == ()
    assert row.party.extras == FrozenMap({"street": "x" * 3000, "city": "York"})


def test_a_name_that_is_too_long_is_kept(tmp_path: Path) -> None:
    row = one(tmp_path, f"name,email\n{'x' * 600},ann@x.org\n")
    assert (row.party.extras["name"], problems(row)) == ("x" * 600, [("full_name", "too_long")])


def test_a_language_and_a_number_that_cannot_be_are_kept(tmp_path: Path) -> None:
    row = one(tmp_path, f"name,language,national_id\nAnn Lee,Old Norse!,{'9' * 300}\n")
    assert sorted(field for field, _ in problems(row)) == ["language", "national_id"]
    assert set(row.party.extras) == {"language", "national_id"}


NASTY = st.text(st.sampled_from("aé@.:;,|/+-= 0123456789'\"\n\t\x0b"), max_size=25)


@given(st.lists(NASTY, min_size=9, max_size=9))
def test_no_cell_is_lost_whatever_is_in_it(cells: list[str]) -> None:
    columns = ("full_name", "email", "phone", "birth_date", "country", "language", "tag", "note", "colour")
    fields = FrozenMap({name: (name,) for name in columns[:-1]})
    reader = RowReader(ColumnMap(columns=columns, fields=fields, source="s"), as_of=TODAY)
    found = reader.read(Row(number=2, line=2, cells=tuple(cells), raw=",".join(cells)))
    if not isinstance(found, RowFacts):
        return
    party: Any = found.party
    kept = " ".join(
        [*party.extras.values(), *(p.raw for p in party.contact_points), *party.tags, party.display_name]
    )
    kept += f" {party.birth_date and party.birth_date.text} {party.language and party.language.tag}"
    kept += " " + " ".join(point.value.country or "" for point in party.addresses if point.value)
    for name, cell in zip(columns, cells, strict=True):
        if name not in ("country", "language", "birth_date") or name in party.extras:
            words = cell.replace("*", "").replace('"', " ").split()
            parts = [
                part for word in words for part in word.replace(":::", " ").translate(_SEPARATORS).split()
            ]
            assert all(part in kept.translate(_SEPARATORS).replace('"', " ") for part in parts), name


_SEPARATORS = str.maketrans(dict.fromkeys(",;|/", " "))


# --- source and record id ---


def test_each_row_can_name_its_source(tmp_path: Path) -> None:
    a, b, c = facts(tmp_path, "firm,name\nOak  LLP,Ann Lee\nElm LLP,Bo Ek\n,Cy Day\n", source_column="firm")
    assert [row.source.system for row in (a, b, c)] == ["Oak LLP", "Elm LLP", "people"]
    assert problems(c) == [("source", "blank_source")]
    assert a.party.extras == FrozenMap()


def test_a_row_without_an_id_is_known_by_its_content(tmp_path: Path) -> None:
    first = facts(tmp_path, "name,town\nAnn Lee,York\nBo Ek,Oslo\n")
    moved = facts(tmp_path, "town,name,empty\nOslo,Bo Ek,\nYork,Ann Lee,\n")
    assert {row.source.record for row in first} == {row.source.record for row in moved}
    assert len({row.source.record for row in first}) == 2


def test_equal_rows_are_told_apart_by_their_number(tmp_path: Path) -> None:
    content = "name\nAnn Lee\nAnn Lee\nAnn Lee\n"
    records = [row.source.record for row in facts(tmp_path, content)]
    assert records[1:] == [f"{records[0]}:2", f"{records[0]}:3"]
    assert records == [row.source.record for row in facts(tmp_path, content)]


def test_a_missing_id_falls_back_to_the_content(tmp_path: Path) -> None:
    a, b = facts(tmp_path, "id,name\n7,Ann Lee\n,Bo Ek\n", id_column="id")
    assert a.source.record == "7"
    assert b.source.record.startswith("row:")
    assert problems(b) == [("id", "blank_id")]


def test_the_truth_is_no_part_of_a_row(tmp_path: Path) -> None:
    a, b = facts(tmp_path, "True Id,name\n1,Ann Lee\n2,Ann Lee\n")
    assert a.party.extras == FrozenMap()
    assert b.source.record == f"{a.source.record}:2"


def test_the_digest_covers_every_cell_and_the_map(tmp_path: Path) -> None:
    base = facts(tmp_path, PEOPLE, id_column="Id")[0].digest
    assert facts(tmp_path, PEOPLE, id_column="Id")[0].digest == base
    assert facts(tmp_path, PEOPLE.replace(",42", ",43"), id_column="Id")[0].digest != base
    assert facts(tmp_path, PEOPLE, id_column="Id", region="GB")[0].digest != base


# --- beside the party ---


def test_a_dated_contact_has_one_key_for_ever(tmp_path: Path) -> None:
    content = "id,name,Filed on,Title\n1,Ann Lee,2019-10-15,A semiconductor device that is new\n"
    options: dict[str, Any] = {
        "id_column": "id",
        "columns": (("Filed on", "contact_date"), ("Title", "contact_subject")),
    }
    row = one(tmp_path, content, **options)
    assert row.contact is not None
    assert (row.contact.occurred_at, row.contact.kind) == (date(2019, 10, 15), "filing")
    assert row.contact.subject == "A semiconductor device that is new"
    assert row.observed_at == row.party.observed_at == date(2019, 10, 15)
    again = one(tmp_path, content.replace("new", "old"), **options)
    assert again.contact is not None
    assert again.contact.dedupe_key == row.contact.dedupe_key
    assert "Ann" not in repr(row)


def test_observed_on_wins_over_the_date_of_the_contact(tmp_path: Path) -> None:
    row = one(
        tmp_path,
        "name,contact date,observed_on\nAnn Lee,2019-10-15,2020-01-01\n",
        columns=(("contact date", "contact_date"),),
    )
    assert row.contact is not None
    assert row.observed_at == date(2020, 1, 1)


@pytest.mark.parametrize(
    ("text", "when", "code"),
    [
        ("2024-01-15T10:00:00+01:00", datetime(2024, 1, 15, 9, tzinfo=UTC), None),
        ("2024-01-15 10:00", date(2024, 1, 15), "no_zone"),
        ("2024-01", None, "incomplete"),
        ("31/12/13", None, "century"),
        ("2024-02-30", None, "range"),
        ("2026-12-24", None, "future"),
        ("2026-11-23", date(2026, 11, 23), None),
    ],
)
def test_a_contact_needs_a_day_that_has_come(
    tmp_path: Path, text: str, when: object, code: str | None
) -> None:
    row = one(tmp_path, f"name,seen\nAnn Lee,{text}\n", columns=(("seen", "contact_date"),))
    assert (None if row.contact is None else row.contact.occurred_at) == when
    assert problems(row) == ([] if code is None else [("contact_date", code)])
    assert (row.party.extras.get("seen") == text) == (code is not None)


def test_a_subject_without_a_contact_is_kept(tmp_path: Path) -> None:
    assert dict(one(tmp_path, "name,subject\nAnn Lee,Refund\n").party.extras) == {"subject": "Refund"}


def test_one_employer_of_a_source_is_one_organization(tmp_path: Path) -> None:
    content = 'name,employer\nAnn Lee,"Rye, Ltd."\nBo Ek,RYE LTD\nCy Day,Oak AB\nDi Fox,\n'
    found = [row.employer for row in facts(tmp_path, content, source="shop")]
    sources = [None if employer is None else employer.sources[0] for employer in found]
    assert sources[0] == sources[1] != sources[2]
    assert sources[3] is None
    assert sources[0] is not None
    assert (sources[0].system, sources[0].record) == ("shop", "employer:rye ltd")


# --- rows that are no parties ---


def test_a_blank_row_is_skipped_and_a_nameless_one_rejected(tmp_path: Path) -> None:
    found = reads(tmp_path, "name,email,town\n,,\nAnn Lee,,\n,,York\n,nonsense,York\n")
    assert [type(read) for read in found] == [Skip, RowFacts, Rejection, Rejection]
    assert [read.code for read in found if isinstance(read, Rejection)] == ["no_designation"] * 2


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("Ann", "too_few_cells"),
        ("Ann,x,y", "too_many_cells"),
        ("Ann,\0", "nul"),
        ('Ann,"x"y', "stray_quote"),
        (f"Ann,{'x' * (MAX_ROW + 1)}", "row_too_large"),
        (f"Ann,{'é' * (MAX_ROW // 2 + 1)}", "row_too_large"),
        (f"Ann,{'x' * 1_000_001}", "cell_too_large"),
    ],
)
def test_a_row_that_cannot_be_taken_over_says_why(tmp_path: Path, row: str, code: str) -> None:
    good, found, other = reads(tmp_path, f"name,note\nBo Ek,\n{row}\nCy Day,\n")
    assert isinstance(good, RowFacts)
    assert isinstance(other, RowFacts)
    assert isinstance(found, Rejection)
    assert (found.number, found.code) == (3, code)
    assert found.message == MESSAGES[code]


def test_an_id_or_source_that_no_store_can_hold_is_rejected(tmp_path: Path) -> None:
    long = "x" * 300
    (a,) = reads(tmp_path, f"id,name\n{long},Ann Lee\n", id_column="id")
    (b,) = reads(tmp_path, f"firm,name\n{long},Ann Lee\n", source_column="firm")
    assert [read.code for read in (a, b) if isinstance(read, Rejection)] == ["invalid_id", "invalid_source"]
