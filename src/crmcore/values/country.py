"""Countries by ISO 3166-1 code and by the names that addresses use.

Invariant: a country is known by its two-letter code in upper case; a name that is not listed is refused, not guessed.
"""

from __future__ import annotations

from crmcore.errors import InvalidAddress
from crmcore.values.frozen_map import FrozenMap
from crmcore.values.text import fold, required

_LIMIT = 100

# Alpha-2, alpha-3, usual English name. XK is no official code, but the one in general use for Kosovo.
_TABLE = """\
AD AND Andorra
AE ARE United Arab Emirates
AF AFG Afghanistan
AG ATG Antigua and Barbuda
AI AIA Anguilla
AL ALB Albania
AM ARM Armenia
AO AGO Angola
AQ ATA Antarctica
AR ARG Argentina
AS ASM American Samoa
AT AUT Austria
AU AUS Australia
AW ABW Aruba
AX ALA Åland Islands
AZ AZE Azerbaijan
BA BIH Bosnia and Herzegovina
BB BRB Barbados
BD BGD Bangladesh
BE BEL Belgium
BF BFA Burkina Faso
BG BGR Bulgaria
BH BHR Bahrain
BI BDI Burundi
BJ BEN Benin
BL BLM Saint Barthélemy
BM BMU Bermuda
BN BRN Brunei
BO BOL Bolivia
BQ BES Caribbean Netherlands
BR BRA Brazil
BS BHS Bahamas
BT BTN Bhutan
BV BVT Bouvet Island
BW BWA Botswana
BY BLR Belarus
BZ BLZ Belize
CA CAN Canada
CC CCK Cocos Islands
CD COD Democratic Republic of the Congo
CF CAF Central African Republic
CG COG Republic of the Congo
CH CHE Switzerland
CI CIV Ivory Coast
CK COK Cook Islands
CL CHL Chile
CM CMR Cameroon
CN CHN China
CO COL Colombia
CR CRI Costa Rica
CU CUB Cuba
CV CPV Cabo Verde
CW CUW Curaçao
CX CXR Christmas Island
CY CYP Cyprus
CZ CZE Czechia
DE DEU Germany
DJ DJI Djibouti
DK DNK Denmark
DM DMA Dominica
DO DOM Dominican Republic
DZ DZA Algeria
EC ECU Ecuador
EE EST Estonia
EG EGY Egypt
EH ESH Western Sahara
ER ERI Eritrea
ES ESP Spain
ET ETH Ethiopia
FI FIN Finland
FJ FJI Fiji
FK FLK Falkland Islands
FM FSM Micronesia
FO FRO Faroe Islands
FR FRA France
GA GAB Gabon
GB GBR United Kingdom
GD GRD Grenada
GE GEO Georgia
GF GUF French Guiana
GG GGY Guernsey
GH GHA Ghana
GI GIB Gibraltar
GL GRL Greenland
GM GMB Gambia
GN GIN Guinea
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea
GR GRC Greece
GS SGS South Georgia and the South Sandwich Islands
GT GTM Guatemala
GU GUM Guam
GW GNB Guinea-Bissau
GY GUY Guyana
HK HKG Hong Kong
HM HMD Heard Island and McDonald Islands
HN HND Honduras
HR HRV Croatia
HT HTI Haiti
HU HUN Hungary
ID IDN Indonesia
IE IRL Ireland
IL ISR Israel
IM IMN Isle of Man
IN IND India
IO IOT British Indian Ocean Territory
IQ IRQ Iraq
IR IRN Iran
IS ISL Iceland
IT ITA Italy
JE JEY Jersey
JM JAM Jamaica
JO JOR Jordan
JP JPN Japan
KE KEN Kenya
KG KGZ Kyrgyzstan
KH KHM Cambodia
KI KIR Kiribati
KM COM Comoros
KN KNA Saint Kitts and Nevis
KP PRK North Korea
KR KOR South Korea
KW KWT Kuwait
KY CYM Cayman Islands
KZ KAZ Kazakhstan
LA LAO Laos
LB LBN Lebanon
LC LCA Saint Lucia
LI LIE Liechtenstein
LK LKA Sri Lanka
LR LBR Liberia
LS LSO Lesotho
LT LTU Lithuania
LU LUX Luxembourg
LV LVA Latvia
LY LBY Libya
MA MAR Morocco
MC MCO Monaco
MD MDA Moldova
ME MNE Montenegro
MF MAF Saint Martin
MG MDG Madagascar
MH MHL Marshall Islands
MK MKD North Macedonia
ML MLI Mali
MM MMR Myanmar
MN MNG Mongolia
MO MAC Macao
MP MNP Northern Mariana Islands
MQ MTQ Martinique
MR MRT Mauritania
MS MSR Montserrat
MT MLT Malta
MU MUS Mauritius
MV MDV Maldives
MW MWI Malawi
MX MEX Mexico
MY MYS Malaysia
MZ MOZ Mozambique
NA NAM Namibia
NC NCL New Caledonia
NE NER Niger
NF NFK Norfolk Island
NG NGA Nigeria
NI NIC Nicaragua
NL NLD Netherlands
NO NOR Norway
NP NPL Nepal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand
OM OMN Oman
PA PAN Panama
PE PER Peru
PF PYF French Polynesia
PG PNG Papua New Guinea
PH PHL Philippines
PK PAK Pakistan
PL POL Poland
PM SPM Saint Pierre and Miquelon
PN PCN Pitcairn Islands
PR PRI Puerto Rico
PS PSE Palestine
PT PRT Portugal
PW PLW Palau
PY PRY Paraguay
QA QAT Qatar
RE REU Réunion
RO ROU Romania
RS SRB Serbia
RU RUS Russia
RW RWA Rwanda
SA SAU Saudi Arabia
SB SLB Solomon Islands
SC SYC Seychelles
SD SDN Sudan
SE SWE Sweden
SG SGP Singapore
SH SHN Saint Helena
SI SVN Slovenia
SJ SJM Svalbard and Jan Mayen
SK SVK Slovakia
SL SLE Sierra Leone
SM SMR San Marino
SN SEN Senegal
SO SOM Somalia
SR SUR Suriname
SS SSD South Sudan
ST STP São Tomé and Príncipe
SV SLV El Salvador
SX SXM Sint Maarten
SY SYR Syria
SZ SWZ Eswatini
TC TCA Turks and Caicos Islands
TD TCD Chad
TF ATF French Southern Territories
TG TGO Togo
TH THA Thailand
TJ TJK Tajikistan
TK TKL Tokelau
TL TLS Timor-Leste
TM TKM Turkmenistan
TN TUN Tunisia
TO TON Tonga
TR TUR Turkey
TT TTO Trinidad and Tobago
TV TUV Tuvalu
TW TWN Taiwan
TZ TZA Tanzania
UA UKR Ukraine
UG UGA Uganda
UM UMI United States Minor Outlying Islands
US USA United States
UY URY Uruguay
UZ UZB Uzbekistan
VA VAT Vatican City
VC VCT Saint Vincent and Grenadines
VE VEN Venezuela
VG VGB British Virgin Islands
VI VIR United States Virgin Islands
VN VNM Vietnam
VU VUT Vanuatu
WF WLF Wallis and Futuna
WS WSM Samoa
XK XKX Kosovo
YE YEM Yemen
YT MYT Mayotte
ZA ZAF South Africa
ZM ZMB Zambia
ZW ZWE Zimbabwe
"""

# Other English names, and countries' own names for themselves as they stand on envelopes.
_ALSO = """\
AE UAE, Emirates, الإمارات العربية المتحدة
AL Shqipëria
AM Հայաստան
AR República Argentina
AT Österreich
AU Commonwealth of Australia
BA Bosnia, Bosna i Hercegovina
BE België, Belgique, Belgien
BG България
BO Plurinational State of Bolivia
BR Brasil
BY Беларусь
CD Congo Kinshasa, DR Congo, DRC
CG Congo Brazzaville
CH Schweiz, Suisse, Svizzera, Svizra
CI Côte d'Ivoire
CN People's Republic of China, PR China, PRC, Mainland China, 中国, 中华人民共和国, 中國
CV Cape Verde
CY Κύπρος
CZ Czech Republic, Česko, Česká republika
DE Deutschland, Federal Republic of Germany, Bundesrepublik Deutschland
DK Danmark
EE Eesti
EG مصر
ES España, Espana
FI Suomi
FK Falkland Islands (Malvinas)
FM Federated States of Micronesia
FR République française
GB UK, Great Britain, Britain, England, Scotland, Wales, Northern Ireland
GB United Kingdom of Great Britain and Northern Ireland
GE საქართველო
GM The Gambia
BS The Bahamas
GR Hellas, Ελλάδα, Ελλάς, Hellenic Republic
HK Hong Kong SAR, Hong Kong SAR China, 香港
HR Hrvatska
HU Magyarország
IE Republic of Ireland, Éire
IL ישראל
IN Bharat, भारत
IR Islamic Republic of Iran, ایران
IS Ísland
IT Italia
JP Nippon, 日本, 日本国
KE Republic of Kenya
KG Kyrgyz Republic
KP Democratic People's Republic of Korea, DPRK
KR Korea, Republic of Korea, 대한민국, 한국
KZ Қазақстан, Казахстан
LA Lao PDR, Lao People's Democratic Republic
LT Lietuva
LU Luxemburg, Lëtzebuerg
LV Latvija
MA المغرب, Maroc
MD Republic of Moldova
MK Macedonia, Северна Македонија
MM Burma
MO Macau, Macao SAR, 澳門
MX México, Estados Unidos Mexicanos
MY Malaysia
NL The Netherlands, Holland, Nederland
NO Norge, Noreg
NZ Aotearoa
PA Panamá
PE Perú
PH Republic of the Philippines, The Philippines, Pilipinas
PL Polska
PS State of Palestine, Palestinian Territories, Palestinian Territory
PT República Portuguesa
RO România, Rumania
RS Srbija, Србија
RU Russian Federation, Россия, Российская Федерация
SA Kingdom of Saudi Arabia, KSA, المملكة العربية السعودية, السعودية
SE Sverige
SI Slovenija
SK Slovak Republic, Slovensko
SY Syrian Arab Republic
SZ Swaziland
TH ประเทศไทย, ไทย
TL East Timor
TR Türkiye
TW Republic of China, 臺灣, 台灣, 台湾, Chinese Taipei
TZ United Republic of Tanzania
UA Україна
US United States of America, U.S., U.S.A., The United States, America, Estados Unidos, États-Unis
VA Holy See
VE Bolivarian Republic of Venezuela
VG Virgin Islands (British)
VI US Virgin Islands, Virgin Islands (US)
VN Viet Nam, Việt Nam
XK Kosova, Косово
ZA Suid-Afrika, RSA
"""

COUNTRY_NAMES: FrozenMap[str, str] = FrozenMap((line[:2], line[7:]) for line in _TABLE.splitlines())
"""The usual English name of every country by its code."""

COUNTRIES: frozenset[str] = frozenset(COUNTRY_NAMES)
"""The two-letter codes: the 249 of ISO 3166-1, and XK."""


def _codes_by_name() -> dict[str, str]:
    found = {fold(name): code for code, name in COUNTRY_NAMES.items()}
    for line in _ALSO.splitlines():
        found.update({fold(name): line[:2] for name in line[3:].split(", ")})
    return found


_BY_NAME = _codes_by_name()
_BY_CODE = {key: line[:2] for line in _TABLE.splitlines() for key in (line[:2], line[3:6])}


def country_code(text: str) -> str:
    """The two-letter code of a country, from its code of two or three letters or one of its usual names.

    Raises:
        InvalidAddress: with the *reason* ``country`` if no country is called so, or as for any text that is blank,
            too long or broken.

    >>> country_code("de"), country_code("USA"), country_code("España"), country_code("日本")
    ('DE', 'US', 'ES', 'JP')
    """
    name = required(text, error=InvalidAddress, what="a country", limit=_LIMIT)
    # Codes are looked up as they are: folded, the letter "ß" would be South Sudan.
    code = _BY_CODE.get(name.upper() if name.isascii() else "") or _BY_NAME.get(fold(name))
    if code is None:
        raise InvalidAddress(
            "not a country: give its two-letter code (ISO 3166) or its English name", reason="country"
        )
    return code


def country_name(code: str) -> str:
    """The usual English name of the country with this two-letter code.

    Raises:
        InvalidAddress: with the *reason* ``country`` if there is none.

    >>> country_name("CI")
    'Ivory Coast'
    """
    return COUNTRY_NAMES[country_code(code)]
