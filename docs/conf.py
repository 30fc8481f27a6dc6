"""The documentation as pages: `python -m sphinx -W docs build/docs`."""

from importlib.metadata import version as find_version

project = "lancesql"
author = "the lancesql developers"
version = release = find_version("lancesql")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["README.md"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["misc.highlighting_failure"]  # SQL of today's DuckDB is more than the highlighter knows

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring = True
napoleon_numpy_docstring = False

default_role = "code"  # what stands between single backticks in a docstring

html_theme = "furo"
html_title = "lancesql"
html_show_sphinx = False
html_static_path: list[str] = []
