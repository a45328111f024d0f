"""On which days rules begin and end, as their statutes say: not read from the packs.

Invariant: a rule of an act of which something is said here has just the dates that are said of it.
"""

from __future__ import annotations

from datetime import date

DATES = {
    "ca.dncl": "2008-09-30/",
    "ca.dncl_unchecked": "2008-09-30/",
    "ca.utr.hours": "2008-09-30/",
    "ca.utr.automated_hours": "2009-04-20/",
    "au.dncr": "2007-05-31/",
    "au.dncr.faxes": "2010-05-30/",
    "au.calls.hours": "2007-05-31/",
    "au.calls.research_hours": "2007-05-31/",
    "au.faxes.hours": "2011-05-04/",
    "au.faxes.ten_a_day": "2011-05-04/",
    "in.tcccpr.not_barred": "2019-02-28/2027-05-13",
    "br.no_targeted_advertising_at_minors": "2026-03-17/",
    "sg.legitimate_interests": "2021-02-01/",
    **{f"sg.dnc.{name}_unchecked_2014": "2014-01-02/2021-01-31" for name in ("voice", "text", "fax")},
    **{f"sg.dnc.{name}_unchecked": "2021-02-01/" for name in ("voice", "text", "fax")},
    "us.tcpa.selected_numbers": "2021-04-01/",
    "us.tcpa.written_consent": "2013-10-16/2027-01-30",
    "us.tcpa.written_consent_not_revoked_for_all": "2027-01-31/",
    "us.tcpa.consent_before_writing": "/2013-10-15",
    "us.tcpa.consent_to_information": "/2027-01-30",
    "us.tcpa.consent_not_revoked_for_all": "2027-01-31/",
    "us.tcpa.recording_without_way_out": "2013-01-14/",
    "us.tcpa.three_recordings_a_month": "2023-07-20/",
    "us.canspam.burdened_way_out": "2008-07-07/",
    "us.canspam.wireless_domain": "2005-03-09/",
    "us_ca.global_privacy_control": "2020-08-14/",
    "us_ca.limited": "2023-01-01/",
    "us_fl.selection_or_dialing": "2021-07-01/2023-05-24",
    "us_fl.selection_and_dialing": "2023-05-25/",
    "fr.calls_unless_registered": "/2026-08-10",
    "fr.bloctel": "2016-06-01/2026-08-10",
}
"""By rule, where it does not begin with its act, or ends: the first day and the last."""
BEGINNINGS = {
    "ca.casl": "2014-07-01",
    "nz.uema": "2007-09-05",
    "sg.spam": "2007-06-15",
    "sg.dnc": "2014-01-02",
    "jp.sema": "2008-12-01",
    "kr": "2014-11-29",
    "in.dpdp": "2027-05-14",
    "in.erased": "2027-05-14",
    "in.tcccpr": "2019-02-28",
    "br": "2020-09-18",
    "us.canspam": "2004-01-01",
    "us.coppa": "2000-04-21",
    "us.dnc.national": "2003-10-01",
    "us.tcpa.confirmation_text": "2012-11-29",
    "us.tcpa.confirmation_only_once": "2012-11-29",
    "us.tcpa.confirmation_in_time": "2012-11-29",
    "us.fax.relationship": "2005-07-09",
    "us_ca.deleted": "2020-01-01",
    "us_ca.under_13": "2020-01-01",
    "us_ca.under_16": "2020-01-01",
    "us_ca.opted_out": "2020-01-01",
    "us_ca.opt_out_remembered": "2020-01-01",
    "us_ca.too_early_to_ask": "2020-01-01",
    "us_ca.no_notice": "2020-01-01",
    "us_fl": "2021-07-01",
    "us_tx.hours_of_texts": "2025-09-01",
    "gb.charities": "2026-02-05",
    "gb.claims_management": "2018-09-08",
    "gb.pensions": "2019-01-09",
    "fr": "2023-03-01",
    "es.hours": "2014-06-13",
    "es.robinson": "2018-12-07",
    "it.rpo_for_letters": "2019-02-03",
    "ch.numbers_in_no_directory": "2021-01-01",
    "eu.political_targeting": "2025-10-10",
}
"""When the acts began; what began otherwise stands above."""


def stated(rule: str) -> tuple[date | None, date | None] | None:
    """The first and the last day of a rule by its id, either of which may be open; None, where nothing is said."""
    said = DATES.get(rule)
    if said is None:
        began = [day for act, day in BEGINNINGS.items() if f"{rule}.".startswith(f"{act}.")]
        if not began:
            return None
        said = f"{began[0]}/"
    begin, _, end = said.partition("/")
    return date.fromisoformat(begin) if begin else None, date.fromisoformat(end) if end else None
