"""Every error that crmcore raises, on one page.

Invariant: no message holds a personal value. A message says what was wrong and what to do; the value
itself stays with the caller, who has it anyway. Expected outcomes (an unsure match, a rejected import
row, a denied contact) are values with reasons, not errors.
"""

from __future__ import annotations

from typing import ClassVar, Literal

Outcome = Literal["not_applied", "unknown"]


class CrmError(Exception):
    """The root of every error here. It has no stdlib parent; its leaves have one where that helps."""

    code: ClassVar[str] = "error"


# --- values: the caller's data -----------------------------------------------------------------------


class InvalidValue(CrmError, ValueError):
    """A text or combination of parts that is not a value of the type asked for.

    *reason* is a stable word for programs (``"empty"``, ``"local_only"``); the message is for people.
    """

    code = "invalid_value"

    def __init__(self, message: str, *, reason: str = "malformed") -> None:
        super().__init__(message)
        self.reason = reason


class InvalidEmail(InvalidValue):
    code = "invalid_email"


class InvalidPhone(InvalidValue):
    code = "invalid_phone"


class InvalidName(InvalidValue):
    code = "invalid_name"


class InvalidAddress(InvalidValue):
    code = "invalid_address"


class InvalidDate(InvalidValue):
    code = "invalid_date"


class InvalidPeriod(InvalidValue):
    code = "invalid_period"


class InvalidCalendar(InvalidValue):
    code = "invalid_calendar"


class CalendarNeverOpen(InvalidCalendar):
    """The calendar has no open moment within the horizon that was searched."""

    code = "calendar_never_open"


class InvalidMoney(InvalidValue):
    code = "invalid_money"


class CurrencyMismatch(InvalidMoney):
    code = "currency_mismatch"


class InvalidLanguage(InvalidValue):
    code = "invalid_language"


class InvalidIdentifier(InvalidValue):
    code = "invalid_identifier"


class InvalidSource(InvalidValue):
    code = "invalid_source"


class InvalidId(InvalidValue):
    code = "invalid_id"


class NaiveDatetime(InvalidValue):
    """A datetime without a zone where an instant is needed."""

    code = "naive_datetime"


class InvalidDocument(InvalidValue):
    """A stored or received document that does not have the shape of its type. *path* says where."""

    code = "invalid_document"

    def __init__(self, message: str, *, path: str = "$", reason: str = "malformed") -> None:
        super().__init__(message, reason=reason)
        self.path = path


# --- rules: what the domain refuses ------------------------------------------------------------------


class RuleViolation(CrmError):
    """A request that the rules of the domain refuse. Nothing was written."""

    code = "rule_violation"


class NoDesignation(RuleViolation):
    """A party without anything that designates it: no name, contact point, identifier or source."""

    code = "no_designation"


class InvalidParty(RuleViolation):
    code = "invalid_party"


class SourceTaken(RuleViolation):
    """Another party already stands for this record of this source."""

    code = "source_taken"

    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class InvalidRelationship(RuleViolation):
    code = "invalid_relationship"


class RelationshipCycle(InvalidRelationship):
    code = "relationship_cycle"


class RelationshipOverlap(InvalidRelationship):
    code = "relationship_overlap"


class InvalidInteraction(RuleViolation):
    code = "invalid_interaction"


class FutureInteraction(InvalidInteraction):
    code = "future_interaction"


class InvalidJudgement(RuleViolation):
    code = "invalid_judgement"


class DecidedDifferent(InvalidJudgement):
    """A person said that these are different customers. Retract that judgement first."""

    code = "decided_different"

    def __init__(self, message: str, *, judgement: str) -> None:
        super().__init__(message)
        self.judgement = judgement


class ClusterTooLarge(InvalidJudgement):
    code = "cluster_too_large"


# --- look-ups ----------------------------------------------------------------------------------------


class NotFound(CrmError, LookupError):
    """Nothing in this store answers to the reference."""

    code = "not_found"


class AmbiguousReference(CrmError, LookupError):
    """A reference (a shared e-mail, part of a name) that fits several customers. *candidates* are their ids."""

    code = "ambiguous_reference"

    def __init__(self, message: str, *, candidates: tuple[str, ...]) -> None:
        super().__init__(message)
        self.candidates = candidates


# --- storage: promises of the waist ------------------------------------------------------------------


class StoreError(CrmError):
    """A store could not do what was asked. *outcome* says whether anything was written."""

    code = "store_error"
    outcome: Outcome = "not_applied"
    retryable: bool = False


class VersionConflict(StoreError):
    """A record is not at the version that the batch expected: read again and plan again."""

    code = "version_conflict"

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class KeyConflict(StoreError):
    """An exclusive key is held by another record."""

    code = "key_conflict"

    def __init__(self, message: str, *, namespace: str, holder: str | None) -> None:
        super().__init__(message)
        self.namespace = namespace
        self.holder = holder


class StreamConflict(StoreError):
    """A ledger is not at the sequence number that the batch expected."""

    code = "stream_conflict"

    def __init__(self, message: str, *, expected: int, actual: int) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


class Contention(StoreError):
    """Others were writing. The same batch may be sent again."""

    code = "contention"
    retryable = True


class Unavailable(StoreError):
    code = "unavailable"
    retryable = True


class StoreTimeout(StoreError, TimeoutError):
    code = "store_timeout"
    retryable = True


class CommitUnknown(StoreError):
    """The batch may or may not have been written. Ask `outcome(tenant, idem)`, or send the same batch again."""

    code = "commit_unknown"
    outcome: Outcome = "unknown"

    def __init__(self, message: str, *, idem: str) -> None:
        super().__init__(message)
        self.idem = idem


class IdempotencyMismatch(StoreError):
    """The idempotency key was used before for a different batch."""

    code = "idempotency_mismatch"


class Fenced(StoreError):
    """`outcome` answered that this batch was not applied; it arrived late and is refused for good."""

    code = "fenced"


class TenantMismatch(StoreError):
    code = "tenant_mismatch"


class InvalidRecord(StoreError, ValueError):
    """A batch that no store can hold: a float, a NUL, an over-long key, a forged cursor."""

    code = "invalid_record"


class BatchTooLarge(StoreError):
    code = "batch_too_large"

    def __init__(self, message: str, *, limit: int, got: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.got = got


class CapabilityMissing(StoreError):
    code = "capability_missing"


class SchemaMismatch(StoreError):
    """The store was written by a newer crmcore, or is no crmcore store."""

    code = "schema_mismatch"


class StoreFull(StoreError):
    code = "store_full"


class Corrupt(StoreError):
    code = "corrupt"


class StoreClosed(StoreError):
    code = "store_closed"


class PositionExpired(StoreError):
    """The feed no longer reaches back to this position: read everything again with `scan`."""

    code = "position_expired"


# --- exchange ----------------------------------------------------------------------------------------


class ExchangeError(CrmError):
    """A file that cannot be read or a mapping that cannot be used. Nothing was written."""

    code = "exchange_error"


class UnreadableFile(ExchangeError):
    code = "unreadable_file"


class InvalidMapping(ExchangeError):
    code = "invalid_mapping"


class PlanStale(ExchangeError):
    """The store changed between planning the import and applying it: plan again."""

    code = "plan_stale"


# --- render ------------------------------------------------------------------------------------------


class UnsafeMarkup(CrmError, ValueError):
    """An element, attribute or address that a page must not hold: a script, an event handler, ``javascript:``."""

    code = "unsafe_markup"


# --- packaging ---------------------------------------------------------------------------------------


class MissingExtra(CrmError, ImportError):
    """An optional dependency is needed; the message names the extra to install."""

    code = "missing_extra"


class CrmWarning(UserWarning):
    """The root of crmcore's warnings."""


class CrmDeprecationWarning(CrmWarning, DeprecationWarning):
    """Something that a coming minor version will remove."""
