"""The access interface: a fleet in this process, behind a server, or as of a past moment.

The only way to twin data for REST, handlers, pages and scripts. Import ``FleetAccess`` and ``Twin`` from ``fleet``.
"""
