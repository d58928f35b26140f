"""``make rebuild BUNDLE=path``: tables, figures, claims and report from a bundle, and how they compare with those of
its maker.

Snakemake is told to consider the rules alone that work on what a bundle holds (``--allowed-rules``). For all other
rules, what they would make is there as a file that nobody makes, so that nothing asks for a model, a key or a network.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from refuseu.errors import UserError
from refuseu.publish.bundle import CONFIG, FOLDER
from refuseu.publish.unpack import commit, unpack
from refuseu.records import file_digest, write_text
from refuseu.study.publishing import AGAIN

RESULTS = Path("results")
OVERLAY = f"{FOLDER}/overlay.json"
PICTURES, REPORT = (".png", ".pdf", ".svg"), "report.html"


def run(bundle: str) -> int:
    """Unpack, rebuild and compare; 1 if a table, the data of a figure or a claim is another than its maker's."""
    about = unpack(bundle, RESULTS)
    folder = RESULTS / about["study"]
    check_config(folder, bundle)
    write_text(folder / OVERLAY, json.dumps(overlay(folder, about["redacted"]), indent=1))
    targets = [str(folder / name) for name in about["rebuilt"]]
    command = [
        sys.executable, "-m", "snakemake", "--cores", "all",
        "--configfile", str(folder / CONFIG), str(folder / OVERLAY), "--allowed-rules", *AGAIN, "--", *targets,
    ]  # fmt: skip
    told = {"HF_HUB_OFFLINE": "1", "REFUSEU_AGAIN": f"make rebuild BUNDLE={bundle}"}
    if code := subprocess.run(command, env=os.environ | told).returncode:
        raise UserError(f"snakemake ended with {code}; what it said is above, and the logs are in {folder}/logs")
    lines, differing = compare(folder, about)
    sys.stdout.write("\n".join(lines) + "\n")
    return int(any(not name.endswith(PICTURES) and name != REPORT for name in differing))


def check_config(folder: Path, bundle: str) -> None:
    """Stop if the config of a bundle is of another study than its files."""
    config = json.loads((folder / CONFIG).read_text(encoding="utf-8")) if (folder / CONFIG).is_file() else {}
    if config.get("study") != folder.name:
        raise UserError(f"{bundle} has no config of the study {folder.name!r}; give a file that target bundle made")


def overlay(folder: Path, redacted: bool) -> dict[str, Any]:
    """What differs in the config where the results come from a bundle."""
    unpacked = folder / FOLDER
    sheets = {name: f"{unpacked}/{name}.tsv" for name in ("models", "variants", "benchmarks")}
    sheets |= {name: f"{unpacked}/{name}" for name in ("tables", "recipes", "accelerate")}
    return {
        "sheets": sheets,
        "audit": {"returned": f"{unpacked}/returned"},
        "budget": {"money": None, "gpu_hours": None},
        "warm_workers": True,  # what imports take is most of the work
        **({"report": {"examples": 0}} if redacted else {}),
    }


def compare(folder: Path, about: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """What to say of the rebuilt files, and the names of those whose bytes are others than their maker's."""
    differing = [name for name, sha256 in about["rebuilt"].items() if file_digest(folder / name) != sha256]
    same = len(about["rebuilt"]) - len(differing)
    lines = [
        f"Rebuilt study {about['study']} in {folder}, from a bundle made at commit {commit(about)}.",
        f"{same} of {len(about['rebuilt'])} files are byte for byte those of its maker.",
    ]
    if differing:
        lines += [f"Others: {', '.join(differing)}", *reasons(about)]
    return lines, differing


def reasons(about: Mapping[str, Any]) -> list[str]:
    """What is known to be different here."""
    here = {"Python": platform.python_version(), **{name: version(name) for name in about["packages"]}}
    there = {"Python": about["python"], **about["packages"]}
    found = [f"{name} {there[name]} there, {here[name]} here" for name in there if there[name] != here[name]]
    files = about["repository"].items()
    found += [f"{file} is another" for file, sha256 in files if not Path(file).is_file() or file_digest(file) != sha256]
    if about["redacted"]:
        found.append("examples of answers are left out of the report, as all texts are of the bundle")
    return [f"- {reason}" for reason in found]


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1] if len(sys.argv) > 1 else ""))
    except UserError as error:
        sys.exit(f"refuseu: {error}")
