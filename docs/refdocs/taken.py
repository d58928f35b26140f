"""What the pages show of a finished study: python -m refdocs.taken results/pocket [seed=claims.csv ...].

Small pictures of all figures, Figure 3 for the first page, the top of the report as Chromium shows it; of the pocket
study besides docs/pocket: some figures in full, and the claims and tables with the code and the machine they are of;
and beside these the claims of the same study with other training seeds, each under a name.
"""

import json
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pandas as pd
from PIL import Image

from refdocs.artifacts import THUMBNAILS
from refdocs.schemas import ROOT
from refuseu.artifacts.artifact import Artifact
from refuseu.artifacts.declared import NAMED
from refuseu.artifacts.report import commit
from refuseu.job.manifest import processor
from refuseu.markdown import pipe_table

FIRST, REPORT, POCKET = "docs/pictures/first.png", "docs/pictures/report.png", "docs/pocket"
WIDE, SMALL = 1200, 480  # pixels
WINDOW = "1280,900"
IN_FULL = ("fig3", "transfer_figure", "open_question_figure", "training_curves")
TABLES = ("table1", "outcomes_table", "consistency", "open_question", "variance", "table2", "table3")
COLOURS = 128


def smaller(source: Path, target: Path, width: int) -> None:
    """A picture of at most this width, in so few colours that it is a small file."""
    with Image.open(source) as picture:
        plain = picture.convert("RGB")
        plain.thumbnail((width, 10 * width))
        target.parent.mkdir(parents=True, exist_ok=True)
        plain.quantize(COLOURS).save(target, optimize=True)


def screenshot(page: Path, target: Path) -> None:
    """The top of a page."""
    chromium = shutil.which("chromium") or sys.exit("the picture of the report needs chromium")
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder, "taken.png")
        command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}", f"--window-size={WINDOW}", f"--screenshot={taken}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        smaller(taken, target, WIDE)


def has_data(results: Path, artifact: Artifact) -> bool:
    """Whether an artifact is a figure of which the study has measured something."""
    rows = results / f"figures/{artifact.file}.csv"
    return artifact.kind == "figure" and rows.exists() and len(rows.read_text(encoding="utf-8").splitlines()) > 1


def machine() -> str:
    """The processor and the system of this machine."""
    return f"{processor()}, {platform.system()}"


def numbers(results: Path) -> Iterator[str]:
    """Claims and tables of a study as one page, below what they are of."""
    commits = {commit(json.loads(file.read_text())["git"]) for file in results.glob("align/*/manifest.json")}
    yield "# Numbers of the pocket study\n"
    yield "<!-- Written by `python -m refdocs.taken`; edits are lost. -->\n"
    ran = ", ".join(sorted(commits))
    yield f"Taken on {date.today()} on {machine()}, from a study that ran at commit {ran}.\n"
    for name in TABLES:
        text = (results / f"tables/{NAMED[name].file}.md").read_text(encoding="utf-8")
        yield re.sub("^#+ ", "## ", text)
    yield re.sub("^#+ ", "## ", (results / "claims.md").read_text(encoding="utf-8"))


def over_seeds(claims: dict[str, Path]) -> Iterator[str]:
    """Verdict and evidence of every tested claim, a column for each set of claims, as a page."""
    yield "# The pocket study's claims, by seed\n"
    yield "<!-- Written by `python -m refdocs.taken`; edits are lost. -->\n"
    read = {
        name: {(row["id"], row["base"]): row for row in pd.read_csv(file, keep_default_na=False).to_dict("records")}
        for name, file in claims.items()
    }
    first = next(iter(read.values()))
    rows = [
        [row["sentence"], *(f"**{own[key]['verdict']}** {own[key]['evidence']}" for own in read.values())]
        for key, row in first.items()
        if row["verdict"] != "not tested"
    ]
    yield pipe_table(["Claim", *read], rows, texts=1 + len(read))


def main(results: Path, others: dict[str, Path]) -> None:
    for stale in (ROOT / THUMBNAILS).glob("*.png"):
        stale.unlink()
    for figure in filter(partial(has_data, results), NAMED.values()):
        smaller(results / f"figures/{figure.file}.png", ROOT / THUMBNAILS / f"{figure.file}.png", SMALL)
    smaller(results / f"figures/{NAMED['fig3'].file}.png", ROOT / FIRST, WIDE)
    screenshot((results / "report.html").resolve(), ROOT / REPORT)
    if results.name == "pocket":
        for name in IN_FULL:
            file = f"{NAMED[name].file}.png"
            smaller(results / "figures" / file, ROOT / POCKET / file, WIDE)
        (ROOT / POCKET / "numbers.md").write_text("\n".join(numbers(results)), encoding="utf-8")
        if others:
            claims = "\n".join(over_seeds({"Seed 1": results / "claims.csv", **others}))
            (ROOT / POCKET / "seeds.md").write_text(claims, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), {name: Path(file) for name, _, file in (one.partition("=") for one in sys.argv[2:])})
