"""The documentation: plain Markdown, readable where it lies, built into pages by Sphinx (make docs)."""

import re

project = "refuseu"
copyright = "the refuseu contributors"
html_title = "refuseu"

extensions = ["myst_parser", "autoapi.extension", "sphinx.ext.napoleon", "sphinx_copybutton"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}  # the pages of modules are written as .rst
exclude_patterns = ["_build", "requirements.txt"]
default_role = "code"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
suppress_warnings = ["autoapi.python_import_resolution"]  # names that are assigned several at a time

# The package is read, not imported: its packages are not needed here.
autoapi_dirs = ["../workflow/scripts/refuseu"]
autoapi_root = "reference/api"
autoapi_options = ["members", "undoc-members"]
autoapi_member_order = "bysource"
autoapi_add_toctree_entry = False
autoapi_keep_files = False
napoleon_use_ivar = True
napoleon_numpy_docstring, napoleon_google_docstring = True, False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True, "light_css_variables": {"font-stack": "system-ui, sans-serif"}}
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True


def add_contents(app, docname, source):
    """An index page's lists of links are its table of contents: no page says this twice."""
    if docname == "reference/api":
        source[0] += "\n```{toctree}\n:hidden:\n\napi/refuseu/index\n```\n"
    if docname.split("/")[-1] != "index":
        return
    pages = re.findall(r"^(?:- |\| )\*{0,2}\[[^\]]+\]\(([\w/]+)\.md\)", source[0], re.MULTILINE)
    source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app):
    app.connect("source-read", add_contents)
