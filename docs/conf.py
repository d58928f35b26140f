"""The documentation: plain Markdown, readable where it lies, built into pages by Sphinx (make docs)."""

import re

project = "refuseu"
copyright = "the refuseu contributors"
html_title = "refuseu"

extensions = ["myst_parser", "autoapi.extension", "sphinx_copybutton"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}  # the pages of modules are written as .rst
exclude_patterns = ["_build", "requirements.txt"]
default_role = "code"

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 4
# Names that are assigned several at a time, and types that have a namesake elsewhere.
suppress_warnings = ["autoapi.python_import_resolution", "ref.python"]

# The package is read, not imported: its packages are not needed here.
autoapi_dirs = ["../workflow/scripts/refuseu"]
autoapi_root = "reference/api"
autoapi_options = ["members", "undoc-members", "show-module-summary"]
autoapi_member_order = "bysource"
autoapi_add_toctree_entry = False
autoapi_keep_files = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_copy_source = html_show_sourcelink = False
html_theme_options = {"navigation_with_keys": True, "light_css_variables": {"font-stack": "system-ui, sans-serif"}}
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_remove_prompts = True


FIELDS = {"Parameters": "param", "Attributes": "ivar", "Raises": "raises", "Returns": "returns"}


def as_fields(app, what, name, found, options, lines):
    """Sections of a docstring as fields; what stands behind the colon of a parameter is its meaning, no type."""
    made, field = [], ""
    for place, line in enumerate(lines):
        if set(lines[place + 1 : place + 2]) <= {"-" * len(line)} and line in FIELDS:
            field = FIELDS[line]
        elif field and set(line) == {"-"} and lines[place - 1] in FIELDS:
            made.append(f":{field}:" if field == "returns" else "")
        elif field == "returns":
            made += ["", f"    {line}"] if " : " in line and line[:1] != " " else [f"    {line.strip()}".rstrip()]
        elif field and line and not line.startswith(" "):
            key, _, meaning = line.partition(" : ")
            made.append(f":{field} {key.replace(', ', '/')}: {meaning}")
        else:
            made.append(line)
    lines[:] = made


def before_reading(app, docname, source):
    """Lists of links of an index page are its table of contents; what lies beside the pages is named, not linked."""
    source[0] = re.sub(r"\[[^\]]+\]\((?:\.\./)+((?:tests)/[^)]+\.md)\)", r"`\1`", source[0])
    if docname == "reference/api":
        source[0] += "\n```{toctree}\n:hidden:\n\napi/refuseu/index\n```\n"
    if docname.split("/")[-1] != "index" or docname.startswith("reference/api/"):
        return
    pages = re.findall(r"^(?:- |\| )\*{0,2}\[[^\]]+\]\(([\w/]+)\.md\)", source[0], re.MULTILINE)
    source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join(pages) + "\n```\n"


def setup(app):
    app.connect("source-read", before_reading)
    app.connect("autodoc-process-docstring", as_fields)
