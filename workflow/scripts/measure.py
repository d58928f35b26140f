"""What each answer of a model to a benchmark is, and every measure over them with its interval."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.analysis import metrics
    from refuseu.analysis.dependence import clusters
    from refuseu.evaluation import description
    from refuseu.language_id import identifier
    from refuseu.languages import members
    from refuseu.records import read_jsonl, write_jsonl
    from refuseu.refusals import read_markers

    given, params = snakemake.input, snakemake.params
    if given.get("knowledge"):
        records = description.questions(read_jsonl(given.knowledge))
    else:
        responses = read_jsonl(given.generate)
        markers, outcomes = read_markers(given.markers), params.outcomes
        identify = identifier(params.identification, members(params.languages), *given.identifier).identify
        detected = identify([row["response"] for row in responses])
        judged = [read_jsonl(given[step]) for step in ("adjudicate", "judge_fluency") if given.get(step)]
        stated = read_jsonl(given.judge) if given.get("judge") else []
        records = description.describe(
            responses, detected, markers, outcomes["repetition"], *judged, policy=outcomes["refusal"], guard=stated
        )
    benchmark = snakemake.wildcards.benchmark
    groups = clusters(records, benchmark, params.parallel)
    records = [record | {"cluster": group} for record, group in zip(records, groups, strict=True)]
    write_jsonl(snakemake.output.jsonl, records)
    items = metrics.items(records, benchmark)
    rows = metrics.measure(params.labels, items, params.languages, params.parallel, **params.statistics)
    metrics.write_csv(snakemake.output.csv, rows)
