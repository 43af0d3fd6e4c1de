"""The journal and the one way to write: change sets, commits, and the files of bulk loads.

Import ``Committer``, ``ChangeSet``, ``GraphChanges`` and ``SqliteJournal``.
"""
