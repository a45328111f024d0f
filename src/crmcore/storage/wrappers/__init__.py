"""Stores over stores: each takes a store and is one, with one more promise."""

from typing import TYPE_CHECKING

from crmcore._lazy import lazily

if TYPE_CHECKING:
    from crmcore.storage.wrappers.audit_chain import Anchor, AnchorSink
    from crmcore.storage.wrappers.audit_of import audit_of
    from crmcore.storage.wrappers.audit_verify import AuditProblem, AuditReport, verify_audit
    from crmcore.storage.wrappers.audited import Audited
    from crmcore.storage.wrappers.call import Call
    from crmcore.storage.wrappers.encrypted import Encrypted
    from crmcore.storage.wrappers.key_file import FileKeyStore
    from crmcore.storage.wrappers.key_store import KeyStore, LocalWrapping, MemoryKeyStore, Wrapping
    from crmcore.storage.wrappers.passing import Passing
    from crmcore.storage.wrappers.read_only import ReadOnly
    from crmcore.storage.wrappers.retrying import Retrying, blocking
    from crmcore.storage.wrappers.subjects import CrmSubjects, Subjects
    from crmcore.storage.wrappers.sync import wrapped
    from crmcore.storage.wrappers.tracing import Traced, Tracing

__all__ = [
    "Anchor",
    "AnchorSink",
    "AuditProblem",
    "AuditReport",
    "Audited",
    "Call",
    "CrmSubjects",
    "Encrypted",
    "FileKeyStore",
    "KeyStore",
    "LocalWrapping",
    "MemoryKeyStore",
    "Passing",
    "ReadOnly",
    "Retrying",
    "Subjects",
    "Traced",
    "Tracing",
    "Wrapping",
    "audit_of",
    "blocking",
    "verify_audit",
    "wrapped",
]

__getattr__ = lazily(
    __name__,
    {
        "audit_chain": "Anchor AnchorSink",
        "audit_of": "audit_of",
        "audit_verify": "AuditProblem AuditReport verify_audit",
        "audited": "Audited",
        "call": "Call",
        "encrypted": "Encrypted",
        "key_file": "FileKeyStore",
        "key_store": "KeyStore LocalWrapping MemoryKeyStore Wrapping",
        "passing": "Passing",
        "read_only": "ReadOnly",
        "retrying": "Retrying blocking",
        "subjects": "CrmSubjects Subjects",
        "tracing": "Traced Tracing",
        "sync": "wrapped",
    },
)
