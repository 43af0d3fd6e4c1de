"""Web pages for any fleet, and the views that add pages of one trade.

Views import from here; nothing here, and nothing else in the package, imports a view: :mod:`.views` finds them.
"""
