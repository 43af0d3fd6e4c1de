"""The model service: JSON and Arrow requests, OpenAPI, and the web application. Import ``app`` and ``requests``."""
