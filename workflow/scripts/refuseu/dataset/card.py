"""The built dataset in the layout of the released one, with a dataset card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from refuseu.languages import language
from refuseu.records import atomic, write_text
from refuseu.rows import Pair
from refuseu.schemas import read_tsv

HALVES = ("train", "test")
# Upper ends of the hub's size categories.
SIZES = {"n<1K": 1e3, "1K<n<10K": 1e4, "10K<n<100K": 1e5, "100K<n<1M": 1e6, "1M<n<10M": 1e7}
COLUMNS = {
    "chosen": "conversation whose last turn is a refusal; a list of `{content, role}`, the prompt is its user turn",
    "rejected": "the same conversation with an answer that complies",
    "lang": "ISO 639-1 code",
    "id": "the pair within its language: activity, style and number of the request",
    "row_id": "number of the request; rows of one `row_id` in two languages come from the same category, activity "
    "and style, and are not translations of each other",
    "category": "hazard category, S1 to S14",
}


def write_data(folder: str | Path, train: Sequence[Pair], test: Sequence[Pair], languages: Sequence[str]) -> None:
    """Write ``multilingual`` and ``lang_xx`` (train and test) and ``evaluation`` (eval) as parquet files."""
    import pyarrow as pa

    turns = pa.list_(pa.struct([("content", pa.string()), ("role", pa.string())]))
    pair = pa.schema([("chosen", turns), ("rejected", turns), ("lang", pa.string()), ("id", pa.string()),
                      ("row_id", pa.int64()), ("category", pa.string())])  # fmt: skip
    prompt = pa.schema([("row_id", pa.int64()), ("lang", pa.string()), ("prompt", pa.string())])
    numbers = {key: n for n, key in enumerate(sorted({local_id(p) for p in [*train, *test]}))}
    for split, half in zip(HALVES, (train, test), strict=True):
        rows = [row(p, numbers) for p in half]
        write_parquet(parquet(folder, "multilingual", split), rows, pair)
        for code in languages:
            write_parquet(parquet(folder, f"lang_{code}", split), [r for r in rows if r["lang"] == code], pair)
    asked = [{"row_id": numbers[local_id(p)], "lang": p["language"], "prompt": p["prompt"]} for p in test]
    write_parquet(parquet(folder, "evaluation", "eval"), asked, prompt)


def parquet(folder: str | Path, config: str, split: str) -> Path:
    return Path(folder, config, f"{split}-00000-of-00001.parquet")


def write_parquet(path: Path, rows: list[dict[str, Any]], schema: Any) -> None:
    """Write rows atomically; equal rows, equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema), temporary)


def local_id(pair: Pair) -> str:
    """The pair's id without its language, the same for all languages of a request."""
    return pair["pair_id"].removeprefix(f"{pair['language']}-")


def row(pair: Pair, numbers: Mapping[str, int]) -> dict[str, Any]:
    """A pair in the columns of the released dataset."""
    key = {"lang": pair["language"], "id": local_id(pair), "row_id": numbers[local_id(pair)]}
    return {"chosen": pair["chosen"], "rejected": pair["rejected"], **key, "category": pair["category"]}


def write_card(
    path: str | Path,
    template: str | Path,
    train: Sequence[Pair],
    test: Sequence[Pair],
    funnel: Sequence[Mapping[str, Any]],
    licences: str | Path,
    facts: Mapping[str, Any],
) -> None:
    """Write ``README.md``: metadata that the hub and `datasets` read, and the card's text.

    Parameters
    ----------
    template : Jinja file of the text
    funnel : rows ``language, step, n``
    licences : TSV with columns repository and licence
    facts : study, languages, models (use → repository and revision) and the settings of the dataset
    """
    from jinja2 import Environment, StrictUndefined

    known = {line["repository"]: line["licence"] for line in read_tsv(licences, ["repository", "licence"])}
    counts = {half: Counter(p["language"] for p in pairs) for half, pairs in zip(HALVES, (train, test), strict=True)}
    left = {(line["language"], line["step"]): line["n"] for line in funnel}
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    source = Path(template).read_text(encoding="utf-8")
    text = environment.from_string(source).render(
        metadata=metadata(facts["study"], facts["languages"], len(train) + len(test)),
        names={code: language(code).name for code in facts["languages"]},
        trained_here=any(made_here(model) for model in facts["models"].values()),
        models=[{"use": use, **model, "licence": licence(model, known)} for use, model in facts["models"].items()],
        counts=counts,
        categories=dict(sorted(Counter(p["category"] for p in [*train, *test]).items(), key=lambda c: int(c[0][1:]))),
        steps=list(dict.fromkeys(line["step"] for line in funnel)),
        left=left,
        columns=COLUMNS,
        **{key: value for key, value in facts.items() if key != "models"},
    )
    write_text(path, text)


def metadata(study: str, languages: Sequence[str], pairs: int) -> str:
    """The card's YAML front matter."""
    configs = [
        {"config_name": name, "data_files": [{"split": half, "path": f"{name}/{half}-*.parquet"} for half in HALVES]}
        for name in ("multilingual", *(f"lang_{code}" for code in languages))
    ]
    configs.append(
        {"config_name": "evaluation", "data_files": [{"split": "eval", "path": "evaluation/eval-*.parquet"}]}
    )
    front = {
        "pretty_name": f"RefusEU, rebuilt ({study})",
        "language": list(languages),
        "license": "other",
        "license_name": "terms-of-the-models",
        "license_link": "README.md#licences",
        "task_categories": ["text-generation"],
        "size_categories": [next((name for name, end in SIZES.items() if pairs < end), "n>10M")],
        "tags": ["preference", "dpo", "safety", "refusal", "multilingual", "synthetic", "not-for-all-audiences"],
        "configs": configs,
    }
    return yaml.safe_dump(front, sort_keys=False, allow_unicode=True)


def licence(model: Mapping[str, str], known: Mapping[str, str]) -> str:
    """Under which terms a model's outputs stand, as far as recorded."""
    if made_here(model):
        return "trained by this workflow on its own texts (Apache 2.0)"
    return known.get(model["repository"], "not recorded; read its page")


def made_here(model: Mapping[str, str]) -> bool:
    return model["repository"].startswith("results/")
