"""What rules look up of models from outside: how they are fetched, and what their folders are made of."""

from pathlib import Path

from refuseu.languages import languages
from refuseu.packaged import PYPI
from refuseu.study.benchmarks import BenchmarkLookups, Values, Wildcards

# Files of texts that a trimmed vocabulary may be made for.
TEXTS = (".yaml", ".tsv", ".csv", ".jsonl", ".txt", ".jinja")


class IntakeLookups(BenchmarkLookups):
    """The lookups of ``fetch_model`` and ``prepare_model``."""

    def wheels(self, wildcards: Wildcards) -> list[str]:
        """The file that names the packages in which a model comes, if it comes in such."""
        repository = self.study.models[wildcards["model"]].repository
        return [repository.removeprefix(PYPI)] if repository.startswith(PYPI) else []

    def unprepared(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """What a model's folder is made of: the note on what was downloaded, or local files; what it gets besides."""
        name = wildcards["model"]
        row = self.study.models[name]
        local = [row.repository] if row.repository.endswith(".gguf") else [f"{row.repository}/config.json"]
        return {
            "source": [f"<study>/fetch_model/{name}.json"] if row.downloaded else local,
            "chat_template": [row.chat_template] if row.chat_template else [],
            "texts": self.kept_texts() if row.vocabulary else [],
        }

    def origin(self, row: Values) -> Values:
        """Where the weights of a model come from, on whose terms its answers stand, though it was trained further."""
        named = self.trained_here(str(row["repository"])) or str(row.get("model", ""))
        found = self.study.models.get(self.study.began(named))
        return {k: getattr(found, k) if found else row[k] for k in ("repository", "revision")}

    def trained_here(self, repository: str) -> str:
        """The model of ``miniature.models`` that lies in a folder; empty if none does. Several rows may read one."""
        folder = f"results/{self.study.name}/train_model/"
        return repository.removeprefix(folder) if repository.startswith(folder) else ""

    def kept_texts(self) -> list[str]:
        """Files whose words a trimmed vocabulary keeps, in the languages of the study where they are of one."""
        places = [Path(place) for place in self.config["vocabulary"]["texts"]]
        files = {file for place in places for file in ([place] if place.is_file() else place.rglob("*"))}
        other = set(languages()) - set(self.study.languages)
        return sorted(str(file) for file in files if file.suffix in TEXTS and file.name.split(".")[0] not in other)

    def preparation(self, wildcards: Wildcards) -> Values:
        """What decides how the folder of a model looks beside its files."""
        row = self.study.models[wildcards["model"]]
        pieces = {"pieces": self.config["vocabulary"]["pieces"]} if row.vocabulary else {}
        return {"model": row.model, "dtype": row.dtype, "start": row.roles == ("start",), **pieces}
