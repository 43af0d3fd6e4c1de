"""What others see of a fleet: REST, the SPARQL protocol and web pages.

Rooms, ground floor first: ``http`` and ``presentation``; ``rest``, ``sparql`` and ``web``; ``battery``; ``app`` puts
them together. Import :func:`voltwin.api.app.create_app` and :class:`voltwin.api.http.server.Server` from here.
"""
