"""Triple stores: Oxigraph in this process, and any SPARQL endpoint.

Import ``open_store`` and ``StoreChoice`` from ``registry``; engines are found by the entry point ``voltwin.stores``.
"""
