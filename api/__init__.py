"""Access to a fleet from outside: REST, the SPARQL protocol and web pages.

Rooms, ground floor first: ``http`` and ``presentation``; ``rest``, ``sparql`` and ``web``; ``app``, which assembles
them. ``battery`` is a view: ``web.views`` finds it by its entry point. Import :func:`voltwin.api.app.create_app` and
:class:`voltwin.api.http.server.WebServer` from here.
"""
