"""Column names that people and other systems use, and the field that each means.

Invariant: names are compared without case, accents, spaces and punctuation. A name that speaks of consent is
never taken for a contact point, whatever else it says.
"""

from __future__ import annotations

import re
from functools import lru_cache

from crmcore.interaction.interaction import Kind
from crmcore.party.contact_point import Use
from crmcore.values.text import fold

# English, German, French, Spanish, Italian, Dutch, Portuguese, the Nordic languages, Polish; exports of Salesforce
# (object and report names), HubSpot, Google Contacts, Outlook, Zoho, Pipedrive, Xero, Mailchimp.
_KNOWN = """
full_name: name, full name, fullname, contact name, customer name, person name, client name, display name, file
  as, contact, person, vollständiger name, kontaktname, kundenname, ansprechpartner, nom complet, nombre
  completo, nome completo, naam, volledige naam, nome e cognome, navn, fullt navn, namn, imię i nazwisko
given_name: given name, given names, first name, firstname, forename, forenames, fname, christian name, vorname,
  vornamen, rufname, prénom, prenom, nombre, nombre de pila, nombres, voornaam, primeiro nome, fornavn, förnamn,
  etunimi, imię
middle_name: middle name, middle names, middle initial, additional name, second name, zweiter vorname, segundo
  nombre
family_name: family name, last name, lastname, surname, lname, nachname, familienname, zuname, nom de famille,
  apellido, apellidos, cognome, achternaam, sobrenome, apelido, etternavn, efternavn, efternamn, sukunimi,
  nazwisko
honorific: salutation, name prefix, prefix, honorific, anrede, civilité, tratamiento, aanhef, titel
org_name: organization name, organisation name, org name, company name, account name, business name, legal name,
  trading name, site name, firm name, company, organization, organisation, account, firma, firmenname,
  unternehmen, société, raison sociale, entreprise, empresa, razón social, azienda, ragione sociale, bedrijf,
  bedrijfsnaam, företag, virksomhed, nazwa firmy, agency name, school name, institution, institution name
employer: employer, works for, works at, arbeitgeber, employeur, empleador, datore di lavoro, werkgever,
  empregador, assignee, affiliation
birth_date: birth date, birthdate, birthday, date of birth, dob, born, born on, geburtsdatum, geburtstag,
  geboren, geboren am, date de naissance, né le, fecha de nacimiento, nacimiento, data di nascita,
  geboortedatum, data de nascimento, fødselsdato, födelsedatum, data urodzenia
email: email, e mail, email address, e mail address, mail, mail address, email 1 value, email id, primary email,
  work email, personal email, home email, business email, email work, email home, other email, contact email, e
  mail adresse, mailadresse, adresse e mail, adresse mail, courriel, correo, correo electrónico, posta
  elettronica, e mailadres, e post, epost, adres e mail, emailaddress
phone: phone, phone number, telephone, telephone number, tel, telephone no, phone no, mobile, mobile phone,
  mobile number, cell, cell phone, cellphone, phone 1 value, home phone, work phone, business phone, other
  phone, primary phone, main phone, company main phone, office phone, phone mobile, phone work, phone home,
  contact number, contact phone, telefon, telefonnummer, telefon privat, telefon geschäftlich, rufnummer, handy,
  mobil, mobiltelefon, mobilnummer, téléphone, numéro de téléphone, portable, teléfono, móvil, celular,
  telefono, cellulare, telefoon, telefoonnummer, mobiel, telefone, telemóvel, puhelin, numer telefonu, ddi
  number, direct line
fax: fax, fax number, faxnummer, telefax, business fax, home fax, other fax, numéro de fax, télécopie
street_no: street no, street number, house number, house no, hausnummer, hausnr, numéro de rue, número de calle,
  numero civico, huisnummer, husnummer, nr domu
street: street, street name, street address, street address 1, mailing street, billing street, shipping street,
  home street, business street, other street, address 1 street, straße, strasse, rue, calle, via, indirizzo via,
  straat, rua, gata, gade, gate, katu, ulica
address: address, postal address, mailing address, full address, address line 1, address line 2, address line 3,
  address line 4, address 1, address 2, address 3, address 1 formatted, street 2, street 3, street address 2, po
  address line 1, po address line 2, po address line 3, po address line 4, poaddressline1, poaddressline2,
  anschrift, adresse, adresszeile 1, adresszeile 2, dirección, domicilio, indirizzo, adres, endereço, morada,
  osoite
city: city, town, suburb, locality, city town, mailing city, billing city, shipping city, home city, business
  city, other city, address 1 city, pocity, po city, ort, stadt, wohnort, ville, commune, ciudad, localidad,
  población, città, comune, plaats, woonplaats, stad, cidade, localidade, by, poststed, kaupunki, miasto,
  miejscowość
postcode: postcode, post code, postal code, zip, zip code, zipcode, zip postal code, mailing zip postal code,
  mailing zip, mailing postal code, billing postal code, shipping postal code, billing zip postal code, home
  postal code, business postal code, other postal code, address 1 postal code, popostalcode, po postal code,
  plz, postleitzahl, code postal, código postal, cp, cap, codice postale, cep, postnummer, postnr, postinumero,
  kod pocztowy
region: region, state, province, county, state province, state region, mailing state, mailing state province,
  billing state, shipping state, home state, business state, other state, address 1 region, poregion, po region,
  prefecture, bundesland, kanton, département, estado, provincia, provincie, distrito, lan, fylke, województwo
country: country, country code, country region, mailing country, billing country, shipping country, home
  country, business country, other country, home country region, business country region, other country region,
  address 1 country, pocountry, po country, nation, land, staat, pays, país, pais, paese, maa, kraj
national_id: national id, national identification number, personal number, personal identity number, social
  security number, ssn, nino, national insurance number, government id number, soc sec id,
  personalausweisnummer, numéro de sécurité sociale, dni, nif, codice fiscale, bsn, personnummer, cpr, pesel,
  cpf
occupation: occupation, profession, job title, jobtitle, job, position, role, organization title, organization 1
  title, beruf, berufsbezeichnung, stelle, métier, fonction, puesto, cargo, ocupación, profesión, professione,
  ruolo, beroep, functie, profissão, yrke, stilling, zawód, stanowisko
language: language, preferred language, language code, locale, sprache, korrespondenzsprache, langue, idioma,
  lingua, taal, língua, språk, sprog, język
website: website, website url, web site, web page, web, url, homepage, home page, personal web page, company
  domain name, webseite, internetseite, site web, sitio web, página web, sito web, strona www
tag: tag, tags, label, labels, categories, category, group membership, groups, keywords, schlagworte,
  kategorien, étiquettes, etiquetas, etichette
contact_date: contact date, contacted on, last contact, last contacted, last contact date, date of contact,
  interaction date, last activity, last activity date, activity date, activity due date, meeting date, call
  date, visit date, letzter kontakt, kontaktdatum, dernier contact, último contacto
contact_subject: contact subject, subject, activity subject, topic, betreff, thema, objet, sujet, asunto,
  oggetto, onderwerp, assunto
observed_on: observed on, observed at, as of, last modified, last modified date, last modified time,
  lastmodifieddate, modified time, modified on, updated at, updated on, last updated, last changed,
  systemmodstamp, geändert am, stand
note: note, notes, remark, remarks, comment, comments, description, bemerkung, bemerkungen, notiz, notizen,
  kommentar, remarque, commentaire, nota, notas, comentario, opmerking, observação, uwagi
"""

_CONSENT = re.compile(
    r"consent|opt\s?(?:ed)?\s?(?:in|out)\b|\boptin|\boptout|optedout|optedin|newsletter|subscri|unsub|gdpr|dsgvo|rgpd|"
    r"permission|do\s?not\s?(?:call|contact|mail|email|e mail|phone|track)|donot|"
    r"no\s?(?:marketing|contact|calls?|mail)\b|"
    r"marketing|mailing\s?list|einwilligung|werbe|consentement|consenso|consentimiento|consentimento|toestemming|"
    r"samtykke|samtycke|zgoda|suostumus"
)
_ID = frozenset(
    "id recordid recid contactid customerid customernumber customerno clientid accountnumber externalid "
    "personid partyid leadid memberid membernumber uuid guid euid kundennummer kundennr kundenid "
    "mitgliedsnummer numeroclient numerodecliente klantnummer kundnummer number nr".split()
)
_TRAILING = re.compile(r"(?<=[a-z])[1-9]$")
_LEADING = (
    "contact",
    "person",
    "customer",
    "client",
    "primary",
    "lead",
    "account",
    "company",
    "organization",
)

_USES: tuple[tuple[str, Use], ...] = (
    ("mobil", "mobile"), ("cell", "mobile"), ("handy", "mobile"), ("portable", "mobile"), ("movil", "mobile"),
    ("celular", "mobile"), ("mobiel", "mobile"), ("home", "home"), ("privat", "home"), ("personal", "home"),
    ("work", "work"), ("business", "work"), ("office", "work"), ("geschaft", "work"), ("company", "work"),
    ("billing", "billing"), ("shipping", "shipping"), ("other", "other"),
)  # fmt: skip

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("call", "call"), ("phone", "call"), ("meeting", "meeting"), ("visit", "visit"), ("mail", "email"),
    ("letter", "letter"),
    ("filed", "filing"), ("filing", "filing"), ("chat", "chat"), ("sms", "sms"), ("event", "event"), ("note", "note"),
)  # fmt: skip


def squeezed(header: str) -> str:
    """A column name without case, accents, spaces and punctuation.

    >>> squeezed("E-Mail 1 - Value"), squeezed("Prénom")
    ('email1value', 'prenom')
    """
    return fold(header).replace(" ", "")


@lru_cache(maxsize=1)
def _by_name() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=\w+:)", _KNOWN.strip()):
        field, _, names = entry.partition(":")
        found[squeezed(field)] = field
        for name in names.split(","):
            found.setdefault(squeezed(name), field)
    return found


def field_of(header: str) -> str | None:
    """The field that a column name means; a number behind it and a word such as "Contact" before it do not matter.

    >>> field_of("Mailing Zip/Postal Code"), field_of("Nachname"), field_of("Phone 2"), field_of("Purple binder")
    ('postcode', 'family_name', 'phone', None)
    """
    known = _by_name()
    name = squeezed(header)
    for candidate in (name, _TRAILING.sub("", name)):
        if candidate in known:
            return known[candidate]
        for word in _LEADING:
            rest = candidate.removeprefix(word)
            if rest != candidate and rest in known:
                return known[rest]
    return None


def speaks_of_consent(header: str) -> bool:
    """Whether a column name is about being allowed to write or call.

    >>> speaks_of_consent("Email consent"), speaks_of_consent("HasOptedOutOfEmail"), speaks_of_consent("Email")
    (True, True, False)
    """
    return bool(_CONSENT.search(fold(header)))


def is_id(header: str) -> bool:
    """Whether a column name says that it numbers the records.

    >>> is_id("Record ID"), is_id("True Id")
    (True, False)
    """
    return squeezed(header) in _ID


def use_of(header: str) -> frozenset[Use]:
    """What a contact point is for, as far as its column's name says.

    >>> sorted(use_of("Home Phone")), sorted(use_of("Phone"))
    (['home'], [])
    """
    name = squeezed(header)
    for word, use in _USES:
        if word in name:
            return frozenset({use})
    return frozenset()


def contact_kind_of(header: str) -> Kind:
    """What kind of contact a column of dates dates.

    >>> contact_kind_of("Filed on"), contact_kind_of("Last contact")
    ('filing', 'other')
    """
    name = squeezed(header)
    for word, kind in _KINDS:
        if word in name:
            return kind
    return "other"


_ADDRESS_GROUPS = ("mailing", "billing", "shipping", "home", "business", "other", "address1", "po")


def address_group_of(header: str) -> str:
    """Which of several addresses in a row a column belongs to; the empty text where its name does not say.

    >>> address_group_of("Billing City"), address_group_of("Postcode")
    ('billing', '')
    """
    name, known = squeezed(header), _by_name()
    return next(
        (group for group in _ADDRESS_GROUPS if name.startswith(group) and name[len(group) :] in known), ""
    )
