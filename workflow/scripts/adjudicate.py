"""Turns the labels of both guards into verdicts; where they differ, the adjudicator decides."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.evaluation.judging import verdicts
    from refuseu.job.paths import journal_path
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    labels = {guard: read_jsonl(path) for guard, path in zip(p.judging["guards"], snakemake.input.labels, strict=True)}
    write_jsonl(
        output,
        verdicts(
            read_jsonl(snakemake.input.responses),
            labels,
            p.adjudicator | p.how,
            p.judging["adjudicator_sees"],
            read_templates(p.templates),
            journal_path(output),
            p.how["batch_size"],
        ),
    )
