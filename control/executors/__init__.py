"""Executors of handlers: processes of this machine by default. Import ``process.ProcessExecutor``."""
