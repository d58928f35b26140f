"""The building of a dataset whose prompts become pairs by chance, with the rules of the workflow and no model."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from refuseu.dataset.feasibility import Aim, Counts, needs, pilot_needs
from refuseu.dataset.pairs import split
from refuseu.dataset.requests import by_category, slots, turns
from refuseu.dataset.seeds import read_seeds
from refuseu.errors import UserError

PILOT = 500


@dataclass(frozen=True)
class World:
    """How likely a prompt becomes a pair.

    Attributes
    ----------
    share : on average
    spread : standard deviation of its logarithm over languages, over categories and over slots, each
    worn : prompts of a slot after which the share is down to a third (duplicates); 0 for never
    """

    share: float
    spread: float = 0.0
    worn: float = 0.0


class Building:
    """One dataset under way.

    Parameters
    ----------
    dataset : that section of a study's config
    languages : codes
    world : how likely a prompt becomes a pair
    seed : of all that is left to chance
    """

    def __init__(self, dataset, languages, world, seed):
        seeds = read_seeds(dataset["seeds"], dataset["seed_language"])
        self.dataset, self.languages, self.world, self.rng = dataset, languages, world, np.random.default_rng(seed)
        self.slots = by_category(slots(seeds), dataset["seed"])
        self.categories = list(self.slots)
        self.said, self.pairs, self.phases = Counter(), [], []
        names = [*languages, *self.categories, *(slot.id for own in self.slots.values() for slot in own)]
        effects = {name: np.exp(self.rng.normal(-(world.spread**2) / 2, world.spread)) for name in names}
        self.share = {
            (code, slot.id): min(0.95, world.share * effects[code] * effects[category] * effects[slot.id])
            for code in languages for category, own in self.slots.items() for slot in own
        }  # fmt: skip

    def ask(self, wanted):
        """A phase: what is asked of each cell, and what becomes of it."""
        asked, became = Counter(), Counter()
        for need in wanted:
            code, category = cell = need["language"], need["category"]
            asked[cell] += need["more"]
            each = Counter(s for s, _ in turns(self.slots[category], need["asked"], need["asked"] + need["more"]))
            for slot, number in each.items():
                before = self.said[code, slot.id]
                fresh = np.exp(-(before + np.arange(number)) / self.world.worn) if self.world.worn else 1.0
                passed = int((self.rng.random(number) < self.share[code, slot.id] * fresh).sum())
                self.pairs += [
                    {"pair_id": f"{code}-{slot.id}-{before}-{n}", "language": code, "category": category,
                     "activity": slot.activity, "style": slot.style} for n in range(passed)
                ]  # fmt: skip
                self.said[code, slot.id] += number
                became[cell] += passed
        self.phases.append(Counts(asked, became))

    def in_rounds(self):
        """As dataset.fill says; the sentence that stopped it, or nothing."""
        fill = self.dataset["fill"]
        aim = Aim(fill["pairs"], fill["most"], self.dataset["split"]["per_category"])
        try:
            self.ask(pilot_needs(self.languages, self.categories, PILOT))
            for _ in range(fill["rounds"]):
                self.ask(needs(self.languages, self.categories, self.phases, aim))
        except UserError as error:
            return str(error)
        return ""

    def at_once(self, per_slot):
        """A fixed number of prompts per slot."""
        self.ask({"language": code, "category": category, "asked": 0, "more": per_slot * len(own)}
                 for code in self.languages for category, own in self.slots.items())  # fmt: skip

    def halves(self):
        """Train and test; raises where the split cannot be made."""
        return split(self.pairs, self.languages, self.categories, **self.dataset["split"])

    def cells(self):
        """Pairs of each language and category."""
        count = Counter((pair["language"], pair["category"]) for pair in self.pairs)
        return [count[code, category] for code in self.languages for category in self.categories]
