"""How `make docs` builds the pages of docs/ and the API reference: Sphinx with MyST, nothing from outside."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from docutils import nodes
from sphinx.addnodes import pending_xref

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[1]

project = "voltwin"
copyright = "the voltwin authors, Apache-2.0"
release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]

# Sources are the repository, so that its links lead where they lead on the web page of a repository.
root_doc = "docs/index"
include_patterns = ["docs/**.md", "README.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "tests", "demo-fleet"]  # .typing is a link to the repository itself

extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "undoc-members": True}
# `::` in a docstring opens a block that is not always Python.
highlight_language = "none"
# Fields called `bytes` hide the built-in type from Sphinx where a signature names it.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = f"voltwin {release}"
html_copy_source = False
html_show_sphinx = False


def _links_to_folders(app: Sphinx, doctree: nodes.document) -> None:
    """A link to a folder of the repository has no page to lead to; its text stays, if the folder is there."""
    here = (ROOT / app.env.docname).parent
    for node in list(doctree.findall(pending_xref)):
        if node["reftype"] == "myst" and (here / node["reftarget"]).is_dir():
            node.replace_self(nodes.inline("", "", *node.children))


def setup(app: Sphinx) -> None:
    """Register what this file adds."""
    app.connect("doctree-read", _links_to_folders)
