"""What may be committed: files that can be read, of a size that a clone bears, and none that a run makes.

python tests/support/repository.py FILE ... prints what is wrong and exits with 1; pre-commit runs it.
"""

import json
import re
import sys
from pathlib import Path

import yaml
from jsonschema.validators import validator_for

ROOT = Path(__file__).parents[2]
LARGEST = 1_000_000  # bytes; data of that size belongs to a hub, pinned
MADE = ("results/", ".snakemake/", "resources/external/", "resources/audit/")  # what a run makes or a user brings
BINARY = (".safetensors", ".bin", ".pt", ".pth", ".gguf", ".ftz", ".arrow", ".ckpt", ".pkl")
SECRET = re.compile(r"\b(hf_[A-Za-z0-9]{30,}|sk-[A-Za-z0-9_-]{30,}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:fx)\b")


def wrong(name: str, root: Path = ROOT) -> list[str]:
    """What is wrong with a file, each with its cure.

    Parameters
    ----------
    name : of the file, relative to `root`
    """
    file, found = root / name, []
    if name.startswith(MADE) and file.name != ".gitignore":
        found.append("is made by a run or brought by its user; leave it out (git restore --staged)")
    if file.suffix in BINARY:
        found.append("is a file of weights or of a run; name it in a sheet and let a rule of rules/assets.smk fetch it")
    if file.is_symlink():
        return found if file.exists() else [*found, "is a link to nothing; mend or remove it"]
    if file.stat().st_size > LARGEST:
        found.append(f"is larger than {LARGEST} bytes; let a rule of rules/assets.smk fetch it")
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return found
    if SECRET.search(text):
        found.append("holds what looks like a key; take it out, and revoke it")
    try:
        read(name, text)
    except Exception as error:
        found.append(f"cannot be read: {error}")
    return found


def read(name: str, text: str) -> None:
    """Parse YAML and JSON; check that a schema is one and that a lock has one pin a line."""
    content = None
    if name.endswith((".yaml", ".yml", ".cff")):
        content = yaml.safe_load(text)
    elif name.endswith(".json"):
        content = json.loads(text)
    if ".schema." in name:
        validator_for(content).check_schema(content)
    if name.endswith(".lock"):
        pins = text.splitlines()
        if unpinned := [line for line in pins if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.+!-]*", line)]:
            raise ValueError(f"{unpinned[0]!r} is no pin; write locks with make lock")
        if pins != sorted(pins, key=lambda line: line.split("==")[0]):
            raise ValueError("pins are not sorted; write locks with make lock")


if __name__ == "__main__":
    told = [f"{name} {sentence}" for name in sys.argv[1:] for sentence in wrong(name)]
    sys.exit("\n".join(told) or 0)
