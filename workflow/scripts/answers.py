"""The page to look through all answers, and the same rows as parquet."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from pathlib import Path

    from refuseu.artifacts import answers

    given, params = snakemake.input, snakemake.params
    models, reveal = params.models, params.reveal
    evaluations = [(model, benchmark) for model, benchmark in params.evaluations]
    prompts = {Path(path).stem: path for path in given.prompts}
    files = {
        (model, benchmark): (responses, measures, prompts[benchmark])
        for (model, benchmark), responses, measures in zip(evaluations, given.responses, given.measures, strict=True)
    }
    page = answers.as_html(given.layout, given.script, params.study, evaluations, models, reveal)
    answers.write(Path(snakemake.output.html).parent, page, files, models, params.judges, reveal)
