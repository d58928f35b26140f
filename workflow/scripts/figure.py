"""A figure: the function that draws it gets its inputs and arguments, and what it gives is saved."""

from refuseu.job import Snakemake, script


@script
def main(snakemake: Snakemake) -> None:
    from pkgutil import resolve_name

    from refuseu.artifacts import plots

    params = snakemake.params
    draw = resolve_name(params.function)
    with plots.style(**params.style, columns=params.columns) as width:
        figure, data = draw(**dict(snakemake.input.items()), **params.arguments, width=width)
        plots.save(figure, data, snakemake.output)
