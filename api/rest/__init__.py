"""REST routes: twins by path, events, validation and status. ``app`` alone imports it."""
