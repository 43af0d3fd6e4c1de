"""The access interface: a fleet in this process, behind a server, or as of a past moment.

The one door to twin data for REST, handlers, pages and scripts. Import ``Fleet`` and ``Twin`` from ``fleet``.
"""
