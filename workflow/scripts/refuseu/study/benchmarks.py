"""What rules look up of benchmarks: where their data is, how it is read and put to models."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from refuseu.study.study import Study
from refuseu.study.tables import files_there

Wildcards = Mapping[str, str]
Values = dict[str, Any]


class BenchmarkLookups:
    """The lookups of a study's benchmarks."""

    def __init__(self, study: Study):
        self.study, self.config = study, study.config

    def dataset_half(self, half: str) -> str:
        """Train pairs or test prompts, built or released."""
        step = "split_pairs" if self.config["dataset"]["source"] == "build" else "load_dataset"
        return f"<study>/{step}/{half}.jsonl"

    def pinned(self, wildcards: Wildcards) -> Values:
        """URL of a benchmark that comes from the web, and its files, each with its SHA-256."""
        benchmark = wildcards["benchmark"]
        return {"url": self.study.benchmarks[benchmark].repository, "files": self.study.tables[benchmark]["sha256"]}

    def benchmark_input(self, wildcards: Wildcards) -> str | list[str]:
        """Where the data of a benchmark is."""
        benchmark = self.study.benchmarks[wildcards["benchmark"]]
        if benchmark.revision == "dataset":
            return self.dataset_half("test")
        if benchmark.revision == "sha256":
            return f"<study>/download_benchmark/{wildcards['benchmark']}"
        if benchmark.source == "table" and benchmark.revision == "local":
            return files_there(self.study.tables[benchmark.benchmark], benchmark)
        if benchmark.revision == "local":
            made_here = benchmark.repository.startswith("results/")
            files = sorted(str(file) for file in Path(benchmark.repository).rglob("*") if file.is_file())
            return benchmark.repository if made_here else files
        return f"<study>/fetch_benchmark/{wildcards['benchmark']}.json"

    def benchmark_row(self, wildcards: Wildcards) -> Values:
        """Source and languages of a benchmark."""
        benchmark = self.study.benchmarks[wildcards["benchmark"]]
        table = {k: v for k, v in self.study.tables.get(benchmark.benchmark, {}).items() if k != "sha256"}
        return {
            "source": benchmark.source,
            "name": benchmark.benchmark,
            "languages": list(benchmark.languages),
            "path": benchmark.repository if benchmark.revision == "local" else None,
            **({"table": table} if table else {}),
        }

    def answer_settings(self, wildcards: Wildcards) -> Values:
        """How a benchmark is put to a model."""
        benchmark = self.study.benchmarks[wildcards["benchmark"]]
        room = self.config["generation"]["reasoning_tokens"]
        return {"mode": benchmark.mode, "max_new_tokens": benchmark.max_new_tokens, "reasoning_tokens": room}

    def parallel(self, wildcards: Wildcards) -> bool:
        """Whether a benchmark puts the same prompts in every language."""
        return self.study.benchmarks[wildcards["benchmark"]].parallel == "yes"

    def foreign_prompts(self) -> list[str]:
        """Benchmarks whose prompts nobody's identifier has filtered."""
        rows = self.study.benchmarks.values()
        return [row.benchmark for row in rows if row.revision != "dataset" and row.kind != "knowledge"]
