"""Trains one of the miniature's models on its mixture of tasks."""

from pathlib import Path

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from refuseu.miniature.models import load_tokenizer, train
    from refuseu.miniature.tasks import Tasks, mixture
    from refuseu.miniature.world import World
    from refuseu.packaged import folder_behind
    from refuseu.templates import read_templates

    p, i = snakemake.params, snakemake.input
    tokenizer = load_tokenizer(folder_behind(i.tokenizer[0]), *i.chat_template)
    tasks = Tasks(
        World(Path(snakemake.input.corpus[0]).parent, p.languages),
        read_templates(p.templates),
        p.spec.get("options", {}),
    )
    examples = mixture(tasks, p.spec, p.languages, p.seed)
    start = folder_behind(i.start[0]) if i.start else None
    model = train(examples, tokenizer, p.spec, start, p.seed, snakemake.wildcards.model, p.brought)
    target = Path(snakemake.output.weights).parent
    tokenizer.save_pretrained(target)
    model.save_pretrained(target, max_shard_size="1000GB")
