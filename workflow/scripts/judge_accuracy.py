"""Measures guards, adjudicator, fluency judge and refusal markers on held-out labelled text."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.job.paths import journal_path
    from refuseu.miniature.judge_accuracy import measure
    from refuseu.miniature.tasks import Tasks
    from refuseu.miniature.world import World
    from refuseu.records import atomic
    from refuseu.refusals import read_markers
    from refuseu.templates import read_templates

    p, output = snakemake.params, snakemake.output[0]
    markers = read_markers(snakemake.input.markers)
    templates = read_templates(p.templates)
    tasks = Tasks(World(Path(snakemake.input.corpus[0]).parent, p.languages), templates, {}, held_out=True)
    journal = journal_path(output).with_suffix("")
    judges = [judge | how for judge, how in zip(p.judges, p.how, strict=True)]
    rows = measure(tasks, judges, templates, markers, p.languages, p.seed, journal, p.how[0]["batch_size"])
    with atomic(output) as path:
        rows.to_csv(path, index=False, lineterminator="\n")
