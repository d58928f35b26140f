"""Where the repository's own files are found: they are named relative to the folder in which Snakemake runs."""

from pathlib import Path

from refuseu.errors import UserError

# What rules and the library read there, beside the config and its sheets, which are a study's own.
READ = ("resources", "workflow/report", "workflow/schemas", "workflow/templates")


def check(home: Path) -> None:
    """Stop with the command that helps where the study runs in a folder without these files.

    Parameters
    ----------
    home : the repository

    Raises
    ------
    UserError
        Where a workflow of somebody's own has this one as a module and no links to what it reads.
    """
    if missing := [folder for folder in READ if not Path(folder).is_dir()]:
        links = " && ".join(f"ln -s {home / folder} {Path(folder).parent}" for folder in missing)
        raise UserError(
            f"{', '.join(missing)} not found in {Path.cwd()}; link what refuseu reads: mkdir -p workflow && {links}"
        )
