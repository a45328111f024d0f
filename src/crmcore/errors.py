"""Every error that crmcore raises, on one page.

Invariant: no message holds a personal value. A message says what was wrong and what to do; the value
itself stays with the caller, who has it anyway. Expected outcomes (an unsure match, a rejected import
row, a denied contact) are values with reasons, not errors.
"""

from __future__ import annotations

from typing import ClassVar, Literal

__all__ = [
    "AmbiguousReference",
    "BatchEnded",
    "BatchTooLarge",
    "CalendarNeverOpen",
    "CapabilityMissing",
    "ClusterTooLarge",
    "CommitUnknown",
    "Contention",
    "Corrupt",
    "CrmDeprecationWarning",
    "CrmError",
    "CrmWarning",
    "CurrencyMismatch",
    "DecidedDifferent",
    "ExchangeError",
    "Fenced",
    "FutureInteraction",
    "IdempotencyMismatch",
    "InvalidAddress",
    "InvalidCalendar",
    "InvalidConsent",
    "InvalidDate",
    "InvalidDecisions",
    "InvalidDocument",
    "InvalidEmail",
    "InvalidId",
    "InvalidIdentifier",
    "InvalidInteraction",
    "InvalidJudgement",
    "InvalidLanguage",
    "InvalidMapping",
    "InvalidModel",
    "InvalidMoney",
    "InvalidName",
    "InvalidPack",
    "InvalidParty",
    "InvalidPeriod",
    "InvalidPhone",
    "InvalidRecord",
    "InvalidRelationship",
    "InvalidRightsRequest",
    "InvalidSource",
    "InvalidValue",
    "KeyConflict",
    "MemoryLimitReached",
    "MissingExtra",
    "NaiveDatetime",
    "NoDesignation",
    "NotEmpty",
    "NotFound",
    "PlanStale",
    "PositionExpired",
    "RelationshipCycle",
    "RelationshipOverlap",
    "RuleViolation",
    "SchemaMismatch",
    "SourceTaken",
    "StoreClosed",
    "StoreError",
    "StoreFull",
    "StoreReadOnly",
    "StoreTimeout",
    "StreamConflict",
    "TenantMismatch",
    "TimelineChanged",
    "Unavailable",
    "UnreadableFile",
    "UnsafeMarkup",
    "UnusableCheckpoint",
    "VersionConflict",
    "WrongKey",
]

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
    """A text that is no e-mail address."""

    code = "invalid_email"


class InvalidPhone(InvalidValue):
    """A text that is no telephone number, or one without its country."""

    code = "invalid_phone"


class InvalidName(InvalidValue):
    """A text that is no name."""

    code = "invalid_name"


class InvalidAddress(InvalidValue):
    """Lines or components that are no postal address."""

    code = "invalid_address"


class InvalidDate(InvalidValue):
    """A text or combination of parts that is no date."""

    code = "invalid_date"


class InvalidPeriod(InvalidValue):
    """A period that ends before it begins, or mixes dates and instants."""

    code = "invalid_period"


class InvalidCalendar(InvalidValue):
    """Opening hours or a time zone that cannot be."""

    code = "invalid_calendar"


class CalendarNeverOpen(InvalidCalendar):
    """The calendar has no open moment within the horizon that was searched."""

    code = "calendar_never_open"


class InvalidMoney(InvalidValue):
    """An amount or a currency that cannot be."""

    code = "invalid_money"


class CurrencyMismatch(InvalidMoney):
    """Amounts of different currencies, which only an exchange rate can bring together."""

    code = "currency_mismatch"


class InvalidLanguage(InvalidValue):
    """A text that is no language tag (BCP 47)."""

    code = "invalid_language"


class InvalidIdentifier(InvalidValue):
    """A scheme or value that identifies nothing."""

    code = "invalid_identifier"


class InvalidSource(InvalidValue):
    """A source or actor without a usable name."""

    code = "invalid_source"


class InvalidId(InvalidValue):
    """A text that is no id of the kind asked for."""

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
    """A party whose parts contradict each other."""

    code = "invalid_party"


class SourceTaken(RuleViolation):
    """Another party already stands for this record of this source."""

    code = "source_taken"

    def __init__(self, message: str, *, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class InvalidRelationship(RuleViolation):
    """A relationship that its type does not allow."""

    code = "invalid_relationship"


class RelationshipCycle(InvalidRelationship):
    """A relationship that would close a circle."""

    code = "relationship_cycle"


class RelationshipOverlap(InvalidRelationship):
    """A relationship that exists already for an overlapping time."""

    code = "relationship_overlap"


class InvalidInteraction(RuleViolation):
    """An interaction that cannot have been."""

    code = "invalid_interaction"


class FutureInteraction(InvalidInteraction):
    """An interaction that has not happened yet."""

    code = "future_interaction"


class TimelineChanged(RuleViolation):
    """A page's cursor does not fit the timeline any more, since the customer has other records now: begin again."""

    code = "timeline_changed"


class InvalidJudgement(RuleViolation):
    """A judgement that makes no sense, or was taken back before."""

    code = "invalid_judgement"


class InvalidDecisions(RuleViolation, ValueError):
    """A file of decisions that is none, was changed since a review page saved it, or is about something else."""

    code = "invalid_decisions"


class InvalidModel(RuleViolation):
    """A matching model or policy that makes no sense, or does not fit the columns at hand."""

    code = "invalid_model"


class DecidedDifferent(InvalidJudgement):
    """A person said that these are different customers. Retract that judgement first."""

    code = "decided_different"

    def __init__(self, message: str, *, judgement: str) -> None:
        super().__init__(message)
        self.judgement = judgement


class ClusterTooLarge(InvalidJudgement):
    """More records in one customer than a store is asked to hold together."""

    code = "cluster_too_large"


class InvalidConsent(RuleViolation):
    """A consent event, or facts for a decision, that cannot be."""

    code = "invalid_consent"


class InvalidPack(RuleViolation, ValueError):
    """A pack of rules that cannot be read. The message names the place that is wrong."""

    code = "invalid_pack"


class InvalidRightsRequest(RuleViolation):
    """A request about somebody's own data that cannot be, or a step that it cannot take now."""

    code = "invalid_rights_request"


class BatchEnded(RuleViolation):
    """A verb was called on a batch that was written or given up: nothing would come of it."""

    code = "batch_ended"


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
    """The store cannot be reached, or its place cannot be used."""

    code = "unavailable"
    retryable = True


class StoreTimeout(StoreError, TimeoutError):
    """The store took longer than it was given; nothing was written."""

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
    """A batch for one tenant holds an operation on another."""

    code = "tenant_mismatch"


class InvalidRecord(StoreError, ValueError):
    """A batch that no store can hold: a float, a NUL, an over-long key, a forged cursor."""

    code = "invalid_record"


class BatchTooLarge(StoreError):
    """A batch over a limit of the store."""

    code = "batch_too_large"

    def __init__(self, message: str, *, limit: int, got: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.got = got


class CapabilityMissing(StoreError):
    """The store does not claim what was asked of it."""

    code = "capability_missing"


class StoreReadOnly(StoreError):
    """The store was opened or wrapped for reading only."""

    code = "store_read_only"


class SchemaMismatch(StoreError):
    """The store was written by a newer crmcore, or is no crmcore store."""

    code = "schema_mismatch"


class NotEmpty(StoreError):
    """A restore would write where something is already: restore into an empty store."""

    code = "not_empty"


class StoreFull(StoreError):
    """There is no room left to write."""

    code = "store_full"


class Corrupt(StoreError):
    """What the store keeps is damaged."""

    code = "corrupt"


class WrongKey(StoreError):
    """The keys at hand are not those that this store was sealed with."""

    code = "wrong_key"


class StoreClosed(StoreError):
    """The store was closed before."""

    code = "store_closed"


class PositionExpired(StoreError):
    """The feed no longer reaches back to this position: read everything again with `scan`."""

    code = "position_expired"


# --- exchange ----------------------------------------------------------------------------------------


class ExchangeError(CrmError):
    """A file that cannot be read or a mapping that cannot be used. Nothing was written."""

    code = "exchange_error"


class UnreadableFile(ExchangeError):
    """A file that cannot be read, or not as what it should be."""

    code = "unreadable_file"


class InvalidMapping(ExchangeError):
    """A mapping of columns to fields that cannot be used."""

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


# --- long runs ---------------------------------------------------------------------------------------


class MemoryLimitReached(CrmError, MemoryError):
    """More memory would be taken than was allowed; the message says how much, and nothing was half written."""

    code = "memory_limit_reached"


class UnusableCheckpoint(CrmError):
    """A folder that cannot hold a checkpoint: it holds something else, another run uses it, or it cannot be written."""

    code = "unusable_checkpoint"


class CrmWarning(UserWarning):
    """The root of crmcore's warnings."""


class CrmDeprecationWarning(CrmWarning, DeprecationWarning):
    """Something that a coming minor version will remove."""
