"""HTTP itself: the web server in a thread, headers, error bodies, and content negotiation.

For every other room of ``api``; it knows no route.
"""
