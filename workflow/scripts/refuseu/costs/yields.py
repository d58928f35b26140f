"""What became of the prompts that a study has written so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refuseu.dataset.pairs import AGREE
from refuseu.records import read_jsonl


@dataclass(frozen=True)
class Yields:
    """Shares that were measured; None where nothing was.

    Attributes
    ----------
    kept : of prompts that pass the filters
    paired : of kept prompts that become pairs
    """

    kept: float | None
    paired: float | None


def measured(root: str | Path, phases: Sequence[str], dataset: Mapping[str, Any], guards: Sequence[str]) -> Yields:
    """The shares over the phases whose files are there.

    The labels of a pilot alone say how many of its prompts would pass, duplicates apart.

    Parameters
    ----------
    root : the study's results
    phases : those whose prompts may tell
    dataset : that section of the config
    guards : who labels the prompts
    """
    written, kept, paired, answered = 0, 0, 0, 0
    for phase in dict.fromkeys(phases):
        prompts = Path(root, "generate_prompts", phase, f"{dataset['generators']['main']}.jsonl")
        passed = Path(root, "filter_prompts", phase, "prompts.jsonl")
        labels = [Path(root, "label_prompts", phase, f"{guard}.jsonl") for guard in guards]
        if prompts.exists() and passed.exists():
            written, kept = written + len(read_jsonl(prompts)), kept + (number := len(read_jsonl(passed)))
            if (pairs := Path(root, "build_pairs", phase, "pairs.jsonl")).exists():
                answered, paired = answered + number, paired + len(read_jsonl(pairs))
        elif prompts.exists() and all(file.exists() for file in labels):
            rows = read_jsonl(prompts)
            written, kept = written + len(rows), kept + passing(rows, [read_jsonl(file) for file in labels], dataset)
    return Yields(kept / written if written else None, paired / answered if answered else None)


def passing(prompts: Sequence[Mapping[str, Any]], labels: Sequence[Sequence[Mapping[str, Any]]],
            dataset: Mapping[str, Any]) -> int:  # fmt: skip
    """How many prompts are whole, in their language and unsafe to the guards."""
    main = dataset["generators"]["main"]
    agree = AGREE[dataset["policies"]["prompt_unsafe"]]
    said = [{row["prompt_id"]: row["label"] for row in rows if row["generator"] == main} for rows in labels]
    return sum(
        row["detected"] == row["language"]
        and row["finish_reason"] != "length"
        and agree(own[row["prompt_id"]] == "unsafe" for own in said)
        for row in prompts
    )
