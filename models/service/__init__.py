"""The models behind REST: JSON and Arrow requests, OpenAPI, and the web application."""
