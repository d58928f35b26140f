"""Pictures of a finished study for the pages: python -m refdocs.taken results/miniature.

Small ones of all figures, Figure 3 for the first page, and the top of the report as Chromium shows it.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from refdocs.artifacts import THUMBNAILS
from refdocs.schemas import ROOT
from refuseu.artifacts.declared import NAMED

FIRST, REPORT = "docs/pictures/first.png", "docs/pictures/report.png"
WIDE, SMALL = 1200, 480  # pixels
WINDOW = "1280,900"


def smaller(source: Path, target: Path, width: int) -> None:
    """A picture of at most this width, in so few colours that it is a small file."""
    with Image.open(source) as picture:
        plain = picture.convert("RGB")
        plain.thumbnail((width, 10 * width))
        target.parent.mkdir(parents=True, exist_ok=True)
        plain.quantize(128).save(target, optimize=True)


def screenshot(page: Path, target: Path) -> None:
    """The top of a page."""
    chromium = shutil.which("chromium") or sys.exit("the picture of the report needs chromium")
    with tempfile.TemporaryDirectory() as folder:
        taken = Path(folder, "taken.png")
        command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        command += [f"--user-data-dir={folder}", f"--window-size={WINDOW}", f"--screenshot={taken}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True)
        smaller(taken, target, WIDE)


def main(results: Path) -> None:
    shown = [one for one in NAMED.values() if one.kind == "figure" and (results / f"figures/{one.file}.png").exists()]
    for figure in shown:
        smaller(results / f"figures/{figure.file}.png", ROOT / THUMBNAILS / f"{figure.file}.png", SMALL)
    smaller(results / f"figures/{NAMED['fig3'].file}.png", ROOT / FIRST, WIDE)
    screenshot((results / "report.html").resolve(), ROOT / REPORT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
