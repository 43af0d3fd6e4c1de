"""Web pages for any fleet, their templates and style. Views such as ``battery`` import its ``rendering``."""
