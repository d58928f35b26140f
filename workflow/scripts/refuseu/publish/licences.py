"""Under which terms a trained model may be passed on: those of its base, and of whoever wrote its training data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from refuseu.schemas import read_tsv

UNKNOWN = "not recorded; read its page"
OWN = "trained by this workflow on its own texts (Apache 2.0)"
COLUMNS = ["licence", "hub", "name_begins", "outputs", "shown", "notice", "besides", "source"]
TRAINED_ON = "training data"


@dataclass(frozen=True)
class Source:
    """A model or dataset that went into a model.

    Attributes
    ----------
    use : base, prompts, chosen answers and so on
    repository, revision : where it is
    licence : as ``resources/model_licences.tsv`` has it
    demands : what its licence asks of a model made with it, one sentence each
    """

    use: str
    repository: str
    revision: str
    licence: str
    demands: tuple[str, ...]


class Licences:
    """What is recorded of licences.

    Parameters
    ----------
    licences : TSV with columns repository and licence
    terms : TSV with what each licence asks for: its name on the hub, how the name of a derivative begins, what is
        shown with it, its notice, and what else. ``outputs`` says whether a model trained on outputs is bound:
        ``yes`` by name and what is shown, ``derivative`` as one that was made from the weights
    """

    def __init__(self, licences: str | Path, terms: str | Path):
        self.known = {row["repository"]: row["licence"] for row in read_tsv(licences, ["repository", "licence"])}
        self.terms = {row["licence"]: row for row in read_tsv(terms, COLUMNS)}

    def of(self, repository: str) -> str:
        """The licence of a repository, in words."""
        return OWN if made_here(repository) else self.known.get(repository, UNKNOWN)

    def source(self, use: str, model: Mapping[str, str]) -> Source:
        """What went into a model and what follows from it."""
        licence = self.of(model["repository"])
        return Source(use, model["repository"], model["revision"], licence, self.demands(use, licence))

    def demands(self, use: str, licence: str) -> tuple[str, ...]:
        """What a licence asks of a model that was made from, or trained on the outputs of, what stands under it."""
        row = self.terms.get(licence)
        if not row or not self.binds(use, row):
            return ()
        named = f"the name of the model begins with “{row['name_begins']}”" if row["name_begins"] else ""
        shown = f"“{row['shown']}” is displayed prominently where it is offered" if row["shown"] else ""
        copy = "a copy of the licence goes with the weights" if self.derived(use, row) else ""
        return tuple(filter(None, (named, shown, copy, row["besides"])))

    def derived(self, use: str, row: Mapping[str, str]) -> bool:
        """Whether a model counts as made from what stands under a licence."""
        return use == "base" or row["outputs"] == "derivative"

    def binds(self, use: str, row: Mapping[str, str]) -> bool:
        """Whether a licence speaks of the model: of derivatives always, of what outputs trained where it says so."""
        return self.derived(use, row) or row["outputs"] == "yes"

    def prefix(self, sources: Sequence[Source]) -> str:
        """How the model's name has to begin; of two that fit each other the longer."""
        rows = ((source, self.terms.get(source.licence)) for source in sources)
        found = [row["name_begins"] for source, row in rows if row and self.binds(source.use, row)]
        return max(found, key=len, default="")

    def notices(self, sources: Sequence[Source]) -> list[str]:
        """The lines of a file NOTICE."""
        rows = ((source, self.terms.get(source.licence)) for source in sources)
        found = [row["notice"] for source, row in rows if row and self.derived(source.use, row)]
        return [*dict.fromkeys(filter(None, found))]

    def hub(self, base: Source) -> dict[str, str]:
        """The licence as the hub's metadata names it."""
        if made_here(base.repository):
            return {"license": "apache-2.0"}
        row = self.terms.get(base.licence)
        if row and row["hub"]:
            return {"license": row["hub"]}
        return {"license": "other", "license_name": "terms-of-the-base-model", "license_link": "README.md#licences"}


def made_here(repository: str) -> bool:
    """Whether the workflow trained it itself (the miniature)."""
    return repository.startswith("results/")
