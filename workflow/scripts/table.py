"""A table: the function that draws it gets its inputs and arguments, and what it gives is written."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from pkgutil import resolve_name

    from refuseu.artifacts import tables

    draw = resolve_name(snakemake.params.function)
    table = draw(**dict(snakemake.input.items()), **snakemake.params.arguments)
    tables.write(table, snakemake.output)
