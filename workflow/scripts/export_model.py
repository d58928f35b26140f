"""Puts a whole model and its card into a folder that is ready for a hub."""

import json
import logging
from pathlib import Path

from refuseu.job import Snakemake, script

log = logging.getLogger("refuseu")


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.publish.licences import Licences
    from refuseu.publish.measured import Measured
    from refuseu.publish.model_card import card, named, sources, write_folder
    from refuseu.records import write_text

    i, facts, folder = snakemake.input, snakemake.params.facts, Path(snakemake.output.card).parent
    files = (i.get(name, []) for name in ("measures", "of_base", "answered", "answered_by_base"))
    known = ([file] if isinstance(file, str) else list(file) for file in files)
    measured = Measured(*known, facts["kinds"], facts["groups"], facts["statistics"])
    manifest = json.loads(Path(i.manifest).read_text(encoding="utf-8"))
    licences = Licences(i.licences, i.terms)
    found = sources(facts, licences)
    write_folder(i.weights, folder)
    if notices := licences.notices(found):
        write_text(folder / "NOTICE", "\n".join(notices) + "\n")
    write_text(snakemake.output.card, card(i.template, manifest, facts, licences, measured))
    log.info("to upload: hf upload <you>/%s %s", named(facts, licences.prefix(found)), folder)
