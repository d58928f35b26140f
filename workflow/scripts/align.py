"""Trains one variant: a LoRA adapter, its log and its manifest."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from refuseu.journal import journal_path
from refuseu.provenance import manifest
from refuseu.records import read_jsonl, write_text
from refuseu.script import script
from refuseu.training import align

if TYPE_CHECKING:
    from snakemake.iocontainers import Snakemake


@script
def main(snakemake: "Snakemake") -> None:
    i, o, run = snakemake.input, snakemake.output, snakemake.params.run
    reference = pd.read_parquet(i.reference).set_index("pair_id") if "reference" in i.keys() else None
    stored = reference.to_dict("index") if reference is not None else {}
    rows = read_jsonl(i.translations) if "translations" in i.keys() else []
    translations = {row["pair_id"]: row["translations"] for row in rows}
    folder = Path(o.adapter).parent
    facts = align(
        read_jsonl(i.pairs),
        snakemake.params.base,
        run["method"],
        run["recipe"],
        run["seed"],
        stored,
        translations,
        checkpoints=journal_path(folder).with_suffix(""),
        output=folder,
    )
    write_text(o.manifest, json.dumps(facts | manifest([i.pairs]), indent=2) + "\n")
