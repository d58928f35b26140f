"""What the workflow says to judges: texts in files, named in the config."""

from pathlib import Path


def read_templates(paths: dict[str, str]) -> dict[str, str]:
    """Texts of the judge templates by name."""
    return {name: Path(path).read_text(encoding="utf-8") for name, path in paths.items()}
