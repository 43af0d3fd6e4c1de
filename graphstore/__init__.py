"""The data of a fleet: journal, triple store, series, paths, history, validation and operations.

Rooms, ground floor first; a room imports those on floors before its own::

    interfaces, database, sparql
    engines, series, schema, validation
    journal, queries, folder
    update, paths
    history
    fleets, operations

Users and higher layers import ``fleets.fleet`` (FleetAccess, Twin) and ``interfaces``.
"""
