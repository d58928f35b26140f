"""What the rules look up that build the dataset, or take the released one."""

from collections.abc import Callable
from pathlib import Path

from refuseu.languages import language
from refuseu.study.benchmarks import Values, Wildcards
from refuseu.study.wiring import Wiring


class Building(Wiring):
    """The lookups of ``rules/dataset.smk``."""

    def released_rows(self) -> str | list[str]:
        """Where the released rows are: the note of the fetched copy, or the files of a folder."""
        dataset = self.config["dataset"]
        if dataset["revision"] == "local":
            return sorted(map(str, Path(dataset["repository"]).rglob("*.parquet")))
        return "<study>/fetch_dataset/dataset.json"

    def seed_sheets(self) -> list[str]:
        """The sheets of the seeds; instructions may come from elsewhere."""
        dataset = self.config["dataset"]
        names = ["categories", "activities", "styles", *([] if dataset["instructions"] else ["instructions"])]
        return [f"{dataset['seeds']}/{name}.tsv" for name in names]

    def own_names(self) -> dict[str, str]:
        """What the languages call themselves, as instructions may say it."""
        return {code: language(code).own_name for code in self.study.built}

    def before(self, file: str) -> Callable[[Wildcards], list[str]]:
        """A file of the main generator in each phase whose prompts become pairs before that of a job."""

        def of(wildcards: Wildcards) -> list[str]:
            phases, main = self.study.phases, self.config["dataset"]["generators"]["main"]
            if wildcards["phase"] not in phases:
                return []
            earlier = phases[: phases.index(wildcards["phase"])]
            return [f"<study>/{file.format(phase=phase, generator=main)}" for phase in earlier]

        return of

    def needs(self, wildcards: Wildcards) -> list[str]:
        """The file that says how many prompts a phase asks for, where the config gives no fixed number."""
        return [f"<study>/feasibility/{wildcards['phase']}.jsonl"] if self.config["dataset"]["fill"] else []

    def phase_apart(self, wildcards: Wildcards) -> str:
        """The phase, if that is all that the jobs of a rule differ in that share a journal; else nothing.

        What one phase asks for may be another's as soon as the config wants more. A pilot beside a fixed number of
        prompts runs with the main phase at a time.
        """
        return wildcards["phase"] if self.config["dataset"]["fill"] else ""

    def first(self, wildcards: Wildcards) -> int:
        """Priority: most of a study waits for the pairs, and nothing but a table for a pilot without any."""
        return int(wildcards["phase"] in self.study.phases)

    def aim(self) -> Values:
        """How many pairs each category and language is to have, and how many it must."""
        dataset = self.config["dataset"]
        fill, split = dataset["fill"] or {}, dataset["split"]
        least = split["per_category"] if split["if_short"] == "stop" else 0
        return {"pairs": fill.get("pairs"), "most": fill.get("most"), "least": least}

    def prompts_wanted(self, wildcards: Wildcards) -> Values:
        """How many prompts a phase asks for where the config gives a fixed number, and the seed they are drawn with."""
        dataset = self.config["dataset"]
        if dataset["fill"]:
            return {"seed": dataset["seed"]}
        return {
            "per_slot": dataset["prompts_per_slot"],
            "per_category": dataset["prompts_per_category"],
            "total": dataset["pilot_n"] if wildcards["phase"] == "pilot" else None,
            "seed": dataset["seed"],
        }

    def generated_prompts(self, wildcards: Wildcards) -> list[str]:
        """Prompts of all generators of a phase."""
        phase, generators = wildcards["phase"], self.config["dataset"]["generators"]
        names = generators["pilot"] if phase == "pilot" else [generators["main"]]
        return [f"<study>/generate_prompts/{phase}/{name}.jsonl" for name in names]

    def deepl_codes(self, *codes: str) -> dict[str, list[str]]:
        """DeepL's codes of these languages as source and target, if that translates: a corrected code reruns it."""
        deepl = self.config["dataset"]["translation"]["backend"] == "deepl"
        return {code: [language(code).deepl_source, language(code).deepl_target] for code in codes if deepl}

    def route_codes(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """The same of the languages at both ends of a route."""
        return self.deepl_codes(*sorted({code for end in self.study.routes[wildcards["route"]] for code in end}))

    def card_facts(self) -> Values:
        """What the dataset card says about the making of the dataset."""
        dataset, identification = self.config["dataset"], self.config["language_identification"]
        uses = {
            "prompts": self.row(dataset["generators"]["main"]),
            "chosen answers": self.row(dataset["chosen"]),
            "rejected answers": self.row(dataset["rejected"]),
            **{f"guard {n}": self.row(name) for n, name in enumerate(self.config["judging"]["guards"], start=1)},
        }
        if identification["backend"] == "fasttext":
            uses["language identification"] = identification
        return {
            "study": self.study.name,
            "languages": list(self.study.built),
            "models": {use: self.origin(model) for use, model in uses.items()},
            "identification": identification["backend"],
            "translation": dataset["translation"]["backend"],
            **{
                k: dataset[k]
                for k in (
                    "seed_language",
                    "fill",
                    "prompts_per_slot",
                    "prompts_per_category",
                    "near_duplicates",
                    "policies",
                    "split",
                )
            },
        }
