"""The history in the journal: graphs as of any commit, events, and the audit log.

Import ``History``, ``EventFeed``, ``StateCache`` and the functions of ``audit_log``.
"""
