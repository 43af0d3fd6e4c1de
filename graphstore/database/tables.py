"""The journal's tables, one script per version of the schema; an older journal is upgraded on opening.

====================  ==================================================================================
``commits``           one row per group commit: its number, transaction time, author; the digests of its content, and
                      its hash, chained to the one before
``changes``           the triples that a commit removes from and adds to one graph, as N-Triples
``loads``             graphs that a commit filled from a file under ``loads/``, named by its content's SHA-256
``snapshots``         a graph's whole content after a commit, compressed N-Triples, and its number of triples:
                      history need not start at 1
``messages``          keys of processed messages, so that none takes effect twice
``series``            a number for each series' IRI
``samples``           the hot samples; ``sequence`` is the commit that added a value
``commit_samples``    the numbers of samples by series that a commit added, even if they are deleted since
``samples_replaced``  values superseded by a later commit, with that commit; a trigger keeps them
``sealed``            registered Parquet files, one for each series and period
``discarded``         files no longer needed, and since when
``runs``, ``due``     pending and finished work of the control master
``facts``             numbers about the journal itself, such as the start of its history
``meta``              texts about the journal itself: base IRI, fleet id, and the last deleted commit with its hash
``moved``             the tally of a commit's samples that were sealed or deleted; 0: of all deleted commits
``totals``            the sum of the hashes of all rows of each table in ``PROVED``
====================  ==================================================================================
"""

from __future__ import annotations

from typing import Final

_VERSION_1: Final = """
CREATE TABLE commits (sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, author TEXT NOT NULL,
                      dead_letters INTEGER NOT NULL) STRICT;
CREATE TABLE changes (sequence INTEGER NOT NULL REFERENCES commits, graph TEXT NOT NULL,
                      removed TEXT NOT NULL, added TEXT NOT NULL) STRICT;
CREATE TABLE messages (key TEXT PRIMARY KEY, sequence INTEGER NOT NULL REFERENCES commits) STRICT, WITHOUT ROWID;
CREATE TABLE series (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE samples (series INTEGER NOT NULL REFERENCES series, time INTEGER NOT NULL, value REAL NOT NULL,
                      sequence INTEGER NOT NULL, PRIMARY KEY (series, time)) STRICT, WITHOUT ROWID;
CREATE TABLE runs (id TEXT PRIMARY KEY, action TEXT NOT NULL, twin TEXT NOT NULL, moment INTEGER NOT NULL,
                   cause TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
                   queued INTEGER NOT NULL REFERENCES commits,
                   finished INTEGER REFERENCES commits) STRICT, WITHOUT ROWID;
CREATE INDEX runs_open ON runs (queued) WHERE state = 'queued';
CREATE TABLE due (action TEXT NOT NULL, twin TEXT NOT NULL, next INTEGER NOT NULL,
                  PRIMARY KEY (action, twin)) STRICT, WITHOUT ROWID;
"""

# Graphs get numbers: their IRIs are long, and history asks by graph.
_VERSION_2: Final = """
CREATE TABLE graphs (id INTEGER PRIMARY KEY, iri TEXT NOT NULL UNIQUE) STRICT;
INSERT INTO graphs (iri) SELECT DISTINCT graph FROM changes ORDER BY graph;
CREATE TABLE numbered (sequence INTEGER NOT NULL REFERENCES commits, graph INTEGER NOT NULL REFERENCES graphs,
                       removed TEXT NOT NULL, added TEXT NOT NULL) STRICT;
INSERT INTO numbered SELECT sequence, id, removed, added FROM changes JOIN graphs ON iri = graph
                     ORDER BY changes.rowid;
DROP TABLE changes;
ALTER TABLE numbered RENAME TO changes;
CREATE INDEX changes_by_sequence ON changes (sequence);
CREATE INDEX changes_by_graph ON changes (graph, sequence);
CREATE INDEX commits_by_time ON commits (time);
CREATE TABLE loads (sequence INTEGER NOT NULL REFERENCES commits, graph INTEGER NOT NULL REFERENCES graphs,
                    file TEXT NOT NULL, triples INTEGER NOT NULL, PRIMARY KEY (sequence, graph, file))
                    STRICT, WITHOUT ROWID;
CREATE INDEX loads_by_graph ON loads (graph, sequence);
CREATE TABLE snapshots (graph INTEGER NOT NULL REFERENCES graphs, sequence INTEGER NOT NULL, size INTEGER NOT NULL,
                        triples BLOB NOT NULL, PRIMARY KEY (graph, sequence)) STRICT;
CREATE TABLE commit_samples (sequence INTEGER NOT NULL REFERENCES commits, series INTEGER NOT NULL REFERENCES series,
                             rows INTEGER NOT NULL, PRIMARY KEY (sequence, series)) STRICT, WITHOUT ROWID;
INSERT INTO commit_samples SELECT sequence, series, count(*) FROM samples GROUP BY sequence, series;
CREATE INDEX commit_samples_by_series ON commit_samples (series, sequence);
CREATE TABLE samples_replaced (series INTEGER NOT NULL REFERENCES series, time INTEGER NOT NULL, value REAL NOT NULL,
                               sequence INTEGER NOT NULL, replaced INTEGER NOT NULL,
                               PRIMARY KEY (series, time, sequence)) STRICT, WITHOUT ROWID;
CREATE TRIGGER samples_keep AFTER UPDATE ON samples WHEN old.sequence < new.sequence BEGIN
    INSERT INTO samples_replaced VALUES (old.series, old.time, old.value, old.sequence, new.sequence);
END;
CREATE TABLE sealed (series INTEGER NOT NULL REFERENCES series, period TEXT NOT NULL, file TEXT NOT NULL,
                     rows INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
                     sequence INTEGER NOT NULL, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL,
                     PRIMARY KEY (series, period)) STRICT, WITHOUT ROWID;
CREATE TABLE discarded (file TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
"""

# Rows of commits are proved by the commit's digests; rows that change later each have a proof of their own.
_VERSION_3: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, proof BLOB NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE commits ADD COLUMN content BLOB;
ALTER TABLE commits ADD COLUMN samples BLOB;
ALTER TABLE commits ADD COLUMN tally BLOB;
ALTER TABLE commits ADD COLUMN files TEXT NOT NULL DEFAULT '';
ALTER TABLE commits ADD COLUMN messages BLOB;
ALTER TABLE commits ADD COLUMN runs BLOB;
ALTER TABLE commits ADD COLUMN due BLOB;
ALTER TABLE commits ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
CREATE TABLE moved (sequence INTEGER PRIMARY KEY, tally BLOB NOT NULL) STRICT;
CREATE TABLE totals (name TEXT PRIMARY KEY, total BLOB NOT NULL) STRICT, WITHOUT ROWID;
ALTER TABLE changes ADD COLUMN hash BLOB NOT NULL DEFAULT x'';
UPDATE changes SET hash = change_hash(sequence, graph, removed, added);
ALTER TABLE snapshots ADD COLUMN proof BLOB NOT NULL DEFAULT x'';
UPDATE snapshots SET proof = row_hash((SELECT iri FROM graphs WHERE id = graph), sequence, size, triples);
ALTER TABLE due ADD COLUMN proof BLOB NOT NULL DEFAULT x'';
UPDATE due SET proof = row_hash(action, twin, next);
ALTER TABLE facts ADD COLUMN proof BLOB NOT NULL DEFAULT x'';
UPDATE facts SET proof = row_hash(name, value);
ALTER TABLE sealed ADD COLUMN proof BLOB NOT NULL DEFAULT x'';
UPDATE sealed SET proof = row_hash((SELECT iri FROM series WHERE id = series), period, file, rows, first, last,
                                   sequence, bytes, sha256);
ALTER TABLE discarded ADD COLUMN proof BLOB NOT NULL DEFAULT x'';
UPDATE discarded SET proof = row_hash(file, since);
"""

PROVED: Final = {
    "snapshots": "(SELECT iri FROM graphs WHERE id = graph), sequence, size, triples",
    "due": "action, twin, next",
    "facts": "name, value",
    "meta": "name, value",
    "sealed": "(SELECT iri FROM series WHERE id = series), period, file, rows, first, last, sequence, bytes, sha256",
    "discarded": "file, since",
}
"""Tables whose column ``proof`` is the ``row_hash`` of these columns; ``totals`` has the sum of it over all rows.

Graphs and series are named by their IRI: so their numbers are proved, too.
"""

VERSIONS: Final = (_VERSION_1, _VERSION_2, _VERSION_3)
"""Script ``n`` upgrades a journal from version ``n`` to version ``n + 1``."""
