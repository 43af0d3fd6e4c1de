"""Where a fleet lives: journal, triple store, series, paths, history, validation and operations.

Rooms, ground floor first; a room imports those on floors before its own::

    interfaces, database, sparql
    engines, series, schema, validation
    journal, queries, folder
    update, paths
    history
    fleets, operations

Users and higher layers take ``fleets.fleet`` (Fleet, Twin) and ``interfaces``.
"""
