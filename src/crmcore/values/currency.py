"""The currencies of ISO 4217 and the decimals of each.

Invariant: the table is that of the maintenance agency of 1 January 2026, with the currencies that were withdrawn since
1999 beside it, since a purchase stays in the currency in which it was made. Nothing here knows symbols or rates.
"""

from __future__ import annotations

from crmcore.errors import InvalidMoney

_DECIMALS: dict[int | None, str] = {
    2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW"
    " CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR"
    " ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV"
    " MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD"
    " SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG",
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
    # Metals, units of account and the codes for tests and for no currency: they have no smallest coin.
    None: "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX",
}
_WITHDRAWN: dict[int, str] = {
    2: "AFA ANG ATS AZM BGL BGN CSD CUC CYP DEM EEK FIM FRF GHC HRK IEP LTL LVL MRO MTL MZM NLG ROL RUR SDD SIT SKK SLL"
    " SRG STD TJR TMM USS VEB VEF YUM ZMK ZWD ZWL ZWN ZWR",
    0: "ADP BEF BYB BYR ESP GRD ITL LUF MGF PTE TPE TRL",
}

_MINOR_UNITS: dict[str, int | None] = {
    code: decimals
    for table in (_DECIMALS, _WITHDRAWN)
    for decimals, codes in table.items()
    for code in codes.split()
}

CURRENT = frozenset(code for codes in _DECIMALS.values() for code in codes.split())
"""The codes in force."""

WITHDRAWN = frozenset(code for codes in _WITHDRAWN.values() for code in codes.split())
"""The codes that were in force in 1999 or later and no longer are."""


def is_currency(code: object) -> bool:
    """Whether *code* is a currency of ISO 4217, in force or withdrawn since 1999; codes are in upper case.

    >>> is_currency("EUR"), is_currency("DEM"), is_currency("eur")
    (True, True, False)
    """
    return isinstance(code, str) and code in _MINOR_UNITS


def minor_units(code: str) -> int | None:
    """How many decimals the currency has; None for metals and units of account, which have no smallest coin.

    Raises:
        InvalidMoney: if *code* is no currency.

    >>> minor_units("EUR"), minor_units("JPY"), minor_units("KWD"), minor_units("XAU")
    (2, 0, 3, None)
    """
    if not is_currency(code):
        raise InvalidMoney(
            "not a currency: use a code of ISO 4217 in upper case, such as 'EUR'", reason="currency"
        )
    return _MINOR_UNITS[code]
