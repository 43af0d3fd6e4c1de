"""Where handlers run: processes of this machine by default."""
