"""Trains one variant: a LoRA adapter or all weights, its log and its manifest."""

import json
import shutil
from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.pairs import select, training_pairs
    from refuseu.job.launch import launch
    from refuseu.job.manifest import manifest
    from refuseu.job.paths import journal_path
    from refuseu.joins import by_key
    from refuseu.records import read_jsonl, write_text
    from refuseu.training.alignment import align

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    reference, translated = i.get("reference"), i.get("translations")
    rows = by_key(read_jsonl(translated), translated, ["pair_id"]) if translated else {}
    translations = {pair_id: row["translations"] for (pair_id,), row in rows.items()}
    pairs = training_pairs(read_jsonl(i.pairs), p.languages, p.as_many_as, snakemake.wildcards.model, p.run["seed"])
    held_out, known = i.get("held_out"), i.get("held_out_reference")
    scored = select(read_jsonl(held_out), p.languages, snakemake.wildcards.model) if held_out else []
    checkpoints = journal_path(o.manifest).parent
    output, events = Path(o.manifest).parent, Path(snakemake.log[0]).with_suffix("")
    facts = launch(
        align, p.how["accelerate"],
        pairs, p.base, p.run, reference, translations, checkpoints, output, events, (scored, known),
    )  # fmt: skip
    inputs = [path for path in (i.pairs, reference, translated, held_out, known) if path]
    write_text(o.manifest, json.dumps(facts | manifest(inputs), indent=2) + "\n")
    shutil.rmtree(checkpoints, ignore_errors=True)
