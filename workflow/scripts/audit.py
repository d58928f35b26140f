"""Reads and checks the returned annotation sheets: answers, rates with agreement, verdicts on responses."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    import pandas as pd

    from refuseu.analysis import annotations
    from refuseu.analysis.metrics import write_csv
    from refuseu.audit import returned
    from refuseu.audit.sheet import COUNTED
    from refuseu.records import read_jsonl, write_jsonl

    output, p = snakemake.output, snakemake.params
    key = read_jsonl(snakemake.input.key)
    answers = returned.read_answers(snakemake.input.returned, key, p.study)
    frame = pd.DataFrame(answers, columns=returned.ANSWER)
    write_csv(output.answers, frame)
    write_csv(output.audit, annotations.rates(frame, key, COUNTED, p.languages, p.statistics["confidence"]))
    write_jsonl(output.verdicts, returned.verdicts(answers))
