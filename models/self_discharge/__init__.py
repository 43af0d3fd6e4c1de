"""How much charge a resting cell loses over a temperature history."""
