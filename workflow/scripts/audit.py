"""Reads and checks the returned annotation sheets: answers, rates with agreement, verdicts on responses."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import pandas as pd

    from refuseu.analysis.metrics import write_csv
    from refuseu.audit import returned
    from refuseu.records import read_jsonl, write_jsonl

    output, p = snakemake.output, snakemake.params
    key = read_jsonl(snakemake.input.key)
    answers = returned.read_answers(snakemake.input.returned, key, p.study)
    write_csv(output.answers, pd.DataFrame(answers, columns=returned.ANSWER))
    write_csv(output.audit, returned.results(answers, key, p.languages, **p.statistics))
    write_jsonl(output.verdicts, returned.verdicts(answers))
