"""Self-discharge of a resting cell over a temperature history."""
