"""Packs all from which tables, figures, claims and report are made without a model, and without texts unless asked."""

import tempfile
from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.publish import bundle
    from refuseu.records import atomic, file_digest, write_text

    i, o, p = snakemake.input, snakemake.output, snakemake.params
    study, results = p.config["study"], Path(o.bundle).parents[1]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        files = bundle.collect(results, i.carried, p.reveal, scratch)
        files |= bundle.describe(study, p.config, p.recipes, p.returned, scratch)
        files |= {f"{bundle.FOLDER}/{n}": Path(f) for n, f in zip(p.sheets, i.get("sheets", []), strict=True)}
        rebuilt = {Path(file).relative_to(results).as_posix(): Path(file) for file in i.rebuilt}
        about = bundle.manifest(study, files, rebuilt, i.repository, p.reveal)
        with atomic(o.bundle) as temporary:
            bundle.pack(temporary, study, files, about)
    write_text(o.sha256, f"{file_digest(o.bundle)}  {Path(o.bundle).name}\n")
