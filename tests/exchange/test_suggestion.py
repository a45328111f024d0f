from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from crmcore.exchange.detect import looks
from crmcore.exchange.fields import FIELDS, READY
from crmcore.exchange.headers import address_group_of, field_of, speaks_of_consent
from crmcore.exchange.profile import profiled
from crmcore.exchange.reading import Row
from crmcore.exchange.suggestion import Suggestion, suggest


def suggested(
    columns: Mapping[str, Sequence[str]], *, kind: str | None = None, reserved: frozenset[str] = frozenset()
) -> dict[str, Suggestion]:
    """Suggestions for columns of values."""
    rows = [
        Row(number=n, line=n, cells=tuple(cells), raw="")
        for n, cells in enumerate(zip(*columns.values(), strict=True), 2)
    ]
    found = suggest(profiled(tuple(columns), rows), kind=kind, reserved=reserved)
    return {suggestion.column: suggestion for suggestion in found}


def lines(columns: Mapping[str, Sequence[str]], *, kind: str | None = None) -> list[str]:
    return [s.line for s in suggested(columns, kind=kind).values() if s.certainty != "sure"]


DATES = ["2019-10-15", "2004-01-31", "2010-06-07"]
COMPANIES = ["Hitachi, Ltd.", "Sony Corporation", "Kappa GmbH"]


# --- by name ---


@pytest.mark.parametrize("name", sorted(READY))
def test_a_ready_name_needs_no_mapping(name: str) -> None:
    values = {"email": "a@x.org", "phone": "9897433", "birth_date": "1985-04-12"}.get(name, "some text")
    found = suggested({name: [values, values]})
    assert (found[name].field, found[name].certainty) == (name, "sure")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("FirstName", "given_name"), ("Last Name", "family_name"), ("E-mail 1 - Value", "email"), ("Phone 2", "phone"),
        ("Person - Email (Work)", "email"), ("Mailing Zip/Postal Code", "postcode"), ("Geburtsdatum", "birth_date"),
        ("Prénom", "given_name"), ("Ciudad", "city"), ("Straße", "street"), ("Account Name", "org_name"),
        ("PERSON-FULL NAME", "full_name"), ("Work_Email", "email"), ("Achternaam", "family_name"),
    ],
)  # fmt: skip
def test_names_of_other_systems_and_languages_are_known(header: str, field: str) -> None:
    assert field_of(header) == field


@pytest.mark.parametrize(
    "header", ["Purple binder", "Mother's maiden name", "CreatedDate", "OwnerId", "", "Granted on"]
)
def test_a_name_that_says_nothing_means_nothing(header: str) -> None:
    assert field_of(header) is None


@pytest.mark.parametrize(
    "header",
    ["Email consent", "Email Opt Out", "opted in", "Newsletter", "HasOptedOutOfEmail", "DoNotCall", "GDPR e-mail",
     "Einwilligung E-Mail", "Email subscription status", "Marketing emails"],
)  # fmt: skip
def test_consent_is_never_taken_for_a_contact_point(header: str) -> None:
    assert speaks_of_consent(header)
    found = suggested({header: ["yes", "no"], "name": ["Ann Lee", "Bo Ek"]})[header]
    assert (found.field, found.certainty, found.topic) == (None, "denied", "consent")


@pytest.mark.parametrize("header", ["cluster", "True Id", "true_id", "Cluster ID"])
def test_the_truth_is_not_used(header: str) -> None:
    found = suggested({header: ["1", "2"]})[header]
    assert (found.field, found.reason) == (None, f'"{header}" not used')


def test_every_known_name_leads_to_a_field() -> None:
    assert {field_of(field) for field in FIELDS} == set(FIELDS)


# --- by values ---


def test_values_outvote_the_name() -> None:
    assert lines({"Email Address": ["12/31/13", "08/31/13", "01/31/13"], "name": ["A B", "C D", "E F"]}) == [
        '! "Email Address" holds dates (3 of 3): not mapped'
    ]
    assert lines({"Website": ["Yes", "No", "www.x.org"], "name": ["A B", "C D", "E F"]}) == [
        '! "Website" holds yes/no (2 of 3): not mapped'
    ]
    assert lines({"Phone": ["ann@x.org", "bo@x.org"]}) == ['! "Phone" holds e-mails (2 of 2): not mapped']
    assert lines({"Email": ["red", "green", "blue", "n/a"] * 3}) == [
        '! "Email" holds hardly any e-mails (0 of 12): not mapped'
    ]


def test_a_few_wrong_values_do_not_outvote_the_name() -> None:
    found = suggested({"email": ["ann@x.org", "bo@x.org", "none", "31/01/2013"]})
    assert (found["email"].field, found["email"].certainty) == ("email", "sure")


def test_values_speak_where_the_name_does_not() -> None:
    columns = {
        "name": ["Ann Lee", "Bo Ek", "Cy Day"],
        "Purple binder service type": ["a@x.org", "b@x.org", ""],
        "Center Director": ["www.x.org", "http://y.org/a", "z.org"],
        "Reach": ["+46 8 123 456 78", "(312) 555-0132", "312-555-0133"],
        "Colour": ["red", "green", "blue"],
    }
    assert lines(columns) == [
        '? "Purple binder service type" holds e-mails (2 of 2)',
        '? "Center Director" holds web addresses (3 of 3)',
        '? "Reach" holds phone numbers (3 of 3)',
    ]


def test_what_would_make_further_records_is_asked() -> None:
    columns = {
        "name": ["Ann Lee", "Bo Ek", "Cy Day"],
        "Employer": COMPANIES,
        "Filed on": DATES,
        "Granted on": DATES,
    }
    assert lines(columns) == [
        '? "Employer" looks like organizations: employment',
        '? "Filed on" looks like dates: interaction',
    ]


def test_a_column_of_companies_beside_names_of_people_is_an_employer() -> None:
    found = suggested({"name": ["Ann Lee", "Bo Ek", "Cy Day"], "Lab": COMPANIES})["Lab"]
    assert (found.field, found.certainty) == ("employer", "ask")


def test_names_are_looked_for_where_no_column_is_called_so() -> None:
    found = suggested({"Who": ["Mary Smith", "Peter Holm", "Anna-Lena Ek"]})["Who"]
    assert (found.field, found.certainty) == ("full_name", "ask")
    assert suggested({"Who": COMPANIES})["Who"].field == "org_name"


def test_a_name_of_organizations_is_one() -> None:
    assert suggested({"Name": COMPANIES})["Name"].field == "org_name"
    assert suggested({"Name": ["Ann Lee"] * 3})["Name"].field == "full_name"
    assert suggested({"Name": ["Ann Lee"] * 3}, kind="organization")["Name"].field == "org_name"
    assert suggested({"Company": COMPANIES}, kind="person")["Company"].field == "employer"


def test_an_empty_column_takes_nothing_from_others_and_asks_nothing() -> None:
    found = suggested({"Town": ["", ""], "City": ["York", "Oslo"], "Works for": ["", ""], "Colour": ["", ""]})
    assert {name: s.certainty for name, s in found.items()} == {"Town": "ask", "City": "sure"}
    assert suggested({"email": ["", ""]})["email"].certainty == "sure"


def test_titles_are_told_apart_by_their_length() -> None:
    assert suggested({"Title": ["Director", "Head of sales"]})["Title"].field == "occupation"
    assert "Title" not in suggested({"Title": ["Semiconductor device and method for making the same"] * 2})


# --- several columns for one field ---


def test_of_two_columns_for_one_field_the_second_is_asked() -> None:
    found = suggested({"City": ["Rome", "Oslo"], "Town": ["Rome", "Oslo"]})
    assert (found["City"].certainty, found["Town"].certainty, found["Town"].field) == ("sure", "ask", None)
    assert found["Town"].reason == '"Town" could be city too, "City" is used: kept'


def test_several_e_mails_and_phones_are_all_used() -> None:
    columns = {
        "Email": ["a@x.org"],
        "Email 2": ["b@x.org"],
        "Home Phone": ["0171 5550132"],
        "Mobile": ["0171 5550133"],
    }
    assert [s.field for s in suggested(columns).values()] == ["email", "email", "phone", "phone"]


def test_an_address_is_taken_from_one_group_of_columns() -> None:
    columns = {
        "Other Street": ["", ""], "Other City": ["Turku", ""], "Other State": ["Varsinais-Suomi", ""],
        "Mailing Street": ["1 High St", "2 Low St"], "Mailing City": ["York", "Leeds"], "Mailing Country": ["GB", "GB"],
    }  # fmt: skip
    found = {name: s.field for name, s in suggested(columns).items() if s.certainty == "sure"}
    assert found == {"Mailing Street": "street", "Mailing City": "city", "Mailing Country": "country"}
    assert [address_group_of(name) for name in columns] == ["other"] * 3 + ["mailing"] * 3


# --- ids ---


def test_rec_id_numbers_the_rows_when_it_can() -> None:
    sure = suggested({"rec_id": ["r1", "r2"], "name": ["Ann Lee", "Bo Ek"]})["rec_id"]
    assert (sure.certainty, sure.topic, sure.field) == ("sure", "id", None)
    assert "rec_id" not in suggested({"rec_id": ["r1", "r1"], "name": ["Ann Lee", "Bo Ek"]})


def test_a_column_that_numbers_the_rows_is_offered_as_the_id() -> None:
    columns = {"Filing": ["US1", "US2"], "name": ["Ann Lee", "Bo Ek"]}
    assert lines(columns) == ['? "Filing" is different in every row: use it as the id with --id-column']
    assert "Filing" not in suggested({**columns, "Id": ["1", "2"]}, reserved=frozenset({"Id"}))


# --- looks ---


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2019-10-15", ("date",)), ("31.01.2013", ("date", "day_first")),
        ("01/31/2013", ("date", "month_first")), ("03/04/2026", ("date", "either_first")),
        ("03/03/2026", ("date",)), ("08 Oct 2026", ("date",)),
        ("12/31/13", ("date", "two_digit_year", "month_first")), ("2024-01-15 10:00", ("date",)),
        ("20190131", ("digits", "date")), ("99/99/2013", ("code",)), ("9897433", ("digits",)),
        ("42", ("number",)), ("1.5 %", ("number",)), ("7.73E+016", ("phone",)), ("14155550132.0", ("phone",)),
        ("+46 8 123 456 78", ("phone",)), ("US5630809", ("code",)), ("8307-7891-7433-008", ("code",)),
        ("Yes", ("yes_no",)), ("www.x.org", ("url",)), ("x.org/a", ("url",)),
        ("Kappa GmbH & Co. KG", ("organization",)), ("University of Oslo", ("organization",)),
        ("Peter Holm", ("person",)), ("MÃ¼nchen", ("mojibake",)), ("Childrenâ€™s", ("mojibake",)),
        ("a \ufffd b", ("mojibake",)), ("Göteborg", ()), ("São Paulo", ()), ("x" * 500, ()),
        ("Semiconductor device", ()), ("=cmd|' /C calc'!A0", ("formula",)), ("@SUM(A1)", ("formula",)),
        ("-2+3+cmd|' /C calc'!A0", ("formula",)), ("+1 (415) 555-0132", ("phone",)), ("-", ()), ("@ann", ()), ("=", ()),
    ],
)  # fmt: skip
def test_looks(text: str, wanted: tuple[str, ...]) -> None:
    assert looks(text) == wanted
