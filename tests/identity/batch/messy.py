"""Rows as no two sources write them, for the tests of what arrays make of them."""

from __future__ import annotations

from hypothesis import strategies as st

_GIVEN = (
    "ann", "Ann", "ANN MARY", "a", "A.", "bob", "robert", "Rob", "josé", "jose", "Łukasz", "李", "محمود", "mr",
    "dr bob",
    "n/a", "no", "test", "aaa", "Jean-Luc", "bob jr", "unknown", "x", "Mohammed", "muhammad", "", " ", "🙂", "12",
)  # fmt: skip
_FAMILY = (
    "lee", "Lee", "O'Brien", "obrien", "van der Berg", "berg", "garcia lopez", "lopez", "smith", "smyth", "smiht",
    "name",
    "customer", "lee jr", "null", "aa", "Müller", "mueller", "김", "Иванов", "ivanov", "ann", "bob", "", "  ",
    "ii", "s",
)  # fmt: skip
_DATES = (
    "1985-04-12", "1985-12-04", "1985-01-01", "1986-01-01", "1985", "1985-04", "--04-12", "12.4.1985", "19850412",
    "1958-04-12", "2085-04-12", "1985-04-13", "31/31/1985", "soon", "", "1885-04-12",
)  # fmt: skip
_EMAILS = (
    "ann.lee@x.org", "annlee@x.org", "Ann.Lee@X.ORG", "ann.lee+news@gmail.com", "annlee@gmail.com",
    "annlee@googlemail.com",
    "ann.lee@y.org", "anm.lee@x.org", "bob1@x.org", "bob2@x.org", "<bob@x.org>", "mailto:bob@x.org", "info@x.org",
    "bob@",
    "@x.org", "bob", "über@x.org", "uber@x.org", "", "ann.lee.senior@example.net", "ann.lee.senoir@example.net",
)  # fmt: skip
_PHONES = (
    "+44 20 7946 0018", "020 7946 0018", "02079460018", "+442079460081", "790301977", "790301978", "970301977",
    "0000000",
    "111111111", "5550132", "555", "14155550132.0", "7.73E+016", "0044207946001", "", "٠٢٠٧٩٤٦٠٠١٨",
    "790301977 ext 3",
)  # fmt: skip
_STREETS = (
    "12 oak st", "12 Oak Street", "oak st 12", "12a oak st", "13 oak st", "12 oak rd", "12 north oak",
    "apt 3 12 oak st",
    "12 oak st apt 3", "PO Box 12", "Goethestraße 12a", "goethestr 12", "51st street", "52 street", "via roma 5",
    "",
    "5332-34 West Addison Ave, Suite 2", "12", "the cottage", "Невский проспект 5", "x" * 200, "saint mary 4", " ",
)  # fmt: skip
_TOWNS = (
    "york",
    "York",
    "new york",
    "nwe york",
    "St. Ives",
    "yrok",
    "münchen",
    "munchen",
    "東京",
    "",
    "kiel",
)
_ORGS = (
    "Foster Center", "foster ctr", "The Horiba Co., Ltd.", "horiba", "foster school", "株式会社日立", "n/a", "",
    "acme inc",
    "Acme", "Acme Berlin GmbH",
)  # fmt: skip

ROLES = {
    "given_name": _GIVEN,
    "family_name": _FAMILY,
    "full_name": ("Ann Lee", "Lee, Ann Mary", "김민준", "bob", "", "unknown", "Ann Lee Jr"),
    "birth_date": _DATES,
    "email": _EMAILS,
    "phone": _PHONES,
    "street_no": ("", "12", "3 a", "12a", " "),
    "street": _STREETS,
    "city": _TOWNS,
    "region": ("", "ny", "NY", "bavaria", "bavraia", "île"),
    "postcode": ("", "60644", "60644-1234", "60601", "ng334rn", "NG33 4RN", "ng334nr", "123456789"),
    "country": ("", "de", "Germany", "Atlantis", "US", "usa"),
    "national_id": ("", "12-34 a", "1234A", "000000", "123456", "123457", "x1"),
    "occupation": ("", "baker", "Baker", "bakker", "nurse"),
}

TEXTS = st.text(max_size=8)


def rows_of(*roles: str, most: int = 6) -> st.SearchStrategy[list[dict[str, str]]]:
    """Rows with these roles, of values that are alike, and of any text."""
    row = st.fixed_dictionaries(
        {role: st.one_of(st.sampled_from(ROLES[role]), st.sampled_from(ROLES[role]), TEXTS) for role in roles}
    )
    return st.lists(row, max_size=most)


PEOPLE = rows_of(*ROLES)
ORGANIZATIONS = st.lists(
    st.fixed_dictionaries(
        {
            "org_name": st.sampled_from(_ORGS),
            **{r: st.sampled_from(ROLES[r]) for r in ("phone", "street", "city")},
        }
    ),
    max_size=6,
)
EMPLOYED = st.lists(
    st.fixed_dictionaries(
        {
            "employer": st.sampled_from(_ORGS),
            **{r: st.sampled_from(ROLES[r]) for r in ("given_name", "family_name")},
        }
    ),
    max_size=6,
)
MIXED = st.one_of(PEOPLE, ORGANIZATIONS, EMPLOYED)
