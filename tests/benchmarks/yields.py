"""Does the paper's dataset come about, whatever share of the prompts becomes pairs? A table as Markdown.

    python tests/benchmarks/yields.py --studies 20 > tests/benchmarks/yields.md

Only chance is simulated: what is asked for in each round, and the split, are those of the workflow. Minutes.
"""

import argparse
import datetime
import sys
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).parents[2]
sys.path += [str(ROOT / "workflow/scripts"), str(ROOT / "tests")]

from refuseu.errors import UserError  # noqa: E402
from refuseu.languages import members  # noqa: E402
from support.yields import Building, World  # noqa: E402

WORLDS = {
    "even": [World(share) for share in (0.04, 0.06, 0.1, 0.2, 0.4, 0.6)],
    "uneven": [World(share, spread=0.3) for share in (0.04, 0.1, 0.2, 0.6)],
    "very uneven": [World(share, spread=0.5) for share in (0.04, 0.2)],
    "uneven, slots wear out": [World(share, spread=0.3, worn=2000) for share in (0.04, 0.2, 0.6)],
}
HEADER = (
    "shares", "share of prompts", "prompts per language: pilot", "main", "round 2", "round 3",
    "pairs per language", "smallest cell", "train per language, at least", "whole tests", "whole tests before",
)  # fmt: skip
NOTE = """
Shares: of prompts that become pairs, log-normal over languages, categories and slots (SD 0.3 or 0.5 each); worn out:
down to a third after 2,000 prompts of a slot, for the copies among them. A cell is a category in a language. Whole
tests: studies whose split has 1,400 test prompts in each language and something left to train on in each category;
before: with the 60 prompts per slot that the config asked for until then. Those that are not whole stopped right after
the pilot or a round, with one sentence that names the cells. Means over the studies, but for the smallest cell and the
train half, which are the smallest of all that are whole.
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--studies", type=int, default=20)
    studies = parser.parse_args().studies
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    config["dataset"]["seeds"] = str(ROOT / config["dataset"]["seeds"])
    languages, dataset = members(config["languages"]), config["dataset"]
    write = sys.stdout.write
    write(f"The paper's study from the bundled seeds, {studies} simulated times each, {datetime.date.today()}: "
          f"dataset.fill {dataset['fill']}.\n\n")  # fmt: skip
    write("| " + " | ".join(HEADER) + " |\n|" + " :-- |" + " --: |" * (len(HEADER) - 1) + "\n")
    for name, worlds in WORLDS.items():
        for world in worlds:
            write(f"| {name} | {world.share:.0%} | " + " | ".join(row(dataset, languages, world, studies)) + " |\n")
            sys.stdout.flush()
    write(NOTE)


def row(dataset: dict, languages: list[str], world: World, studies: int) -> list[str]:
    asked, pairs, smallest, train, whole, before = [], [], [], [], 0, 0
    for seed in range(studies):
        building = Building(dataset, languages, world, seed)
        said = building.in_rounds()
        phases = [sum(phase.asked.values()) / len(languages) for phase in building.phases]
        asked.append(phases + [0] * (4 - len(phases)))
        pairs.append(len(building.pairs) / len(languages))
        try:
            if said:
                raise UserError(said)
            halves = building.halves()
            train.append(min(sum(p["language"] == code for p in halves[0]) for code in languages))
            smallest.append(min(building.cells()))
            whole += 1
        except UserError as error:
            sys.stderr.write(f"{error}\n")
        fixed = Building(dataset, languages, world, seed)
        fixed.at_once(60)
        try:
            fixed.halves()
            before += 1
        except UserError:
            pass
    numbers = [f"{n:,.0f}" for n in [*np.mean(asked, axis=0), np.mean(pairs)]]
    return [*numbers, *least(smallest), *least(train), f"{whole}/{studies}", f"{before}/{studies}"]


def least(numbers: list[int]) -> list[str]:
    return [f"{min(numbers):,}" if numbers else ""]


if __name__ == "__main__":
    main()
