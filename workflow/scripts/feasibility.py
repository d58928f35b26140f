"""Says how many prompts each category and language is asked for in a phase, from the yields of those before it."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.dataset.feasibility import Aim, counts, needs, pilot_needs
    from refuseu.records import read_jsonl, write_jsonl

    i, p = snakemake.input, snakemake.params
    seeds = read_jsonl(i.seeds)
    categories = list(dict.fromkeys(seed["key"] for seed in seeds if seed["kind"] == "category"))
    if snakemake.wildcards.phase == "pilot":
        found = pilot_needs(p.languages, categories, p.pilot_n)
    else:
        phases = [counts(read_jsonl(a), read_jsonl(b)) for a, b in zip(i.prompts, i.pairs, strict=True)]
        found = needs(p.languages, categories, phases, Aim(**p.aim))
    write_jsonl(snakemake.output[0], found)
