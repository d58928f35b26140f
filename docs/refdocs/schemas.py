"""Schemas as manual pages: every key with what it means, what it may be and what the paper's study has."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
SCHEMAS = ROOT / "workflow/schemas"
Schema = Mapping[str, Any]
# Sheet → its schema, in the order of the page.
SHEETS = {
    "models.tsv": "models",
    "variants.tsv": "variants",
    "benchmarks.tsv": "benchmarks",
    "Recipes": "recipe",
    "Tables of a benchmark": "table",
    "claims.yaml": "claims",
    "Seeds: categories.tsv": "categories",
    "Seeds: activities.tsv": "activities",
    "Seeds: styles.tsv": "styles",
    "Seeds: instructions.tsv": "instructions",
    "Returned annotations": "returned",
    "Plan: throughput.tsv": "throughput",
    "Plan: prices.tsv": "prices",
    "Plan: assumptions.tsv": "assumptions",
}


@dataclass(frozen=True)
class Key:
    """A key of a schema: its dotted place, what it means, what it may be, and whether it may be left out."""

    place: str
    meaning: str
    values: str
    optional: bool
    leaf: bool


def load(name: str) -> dict[str, Any]:
    """A schema by its name."""
    schema: dict[str, Any] = yaml.safe_load((SCHEMAS / f"{name}.schema.yaml").read_text(encoding="utf-8"))
    return schema


def keys(
    schema: Schema, root: Schema | None = None, place: str = "", told: dict[str, str] | None = None
) -> Iterator[Key]:
    """Every key of a schema, depth first, in its order.

    Parameters
    ----------
    told : lists of the same things that were told before, and where
    """
    root, schema, told = root or schema, resolved(schema, root or schema), {} if told is None else told
    required = schema.get("required", ())
    for name, inner in schema.get("properties", {}).items():
        whole, at = resolved(inner, root), f"{place}{name}"
        before = told.get(inner.get("$ref", ""), "").removeprefix("[].") if "items" in whole else ""
        told.setdefault(inner.get("$ref", at), at)
        like = f" Keys as of `{before}`." if before else ""
        yield Key(at, meaning(whole) + like, values(whole), name not in required, not nested(whole))
        if not before:
            yield from keys(whole, root, f"{at}.", told)
    inner, more = schema.get("items"), schema.get("additionalProperties")
    if inner and nested(resolved(inner, root)):
        yield from keys(inner, root, f"{place.removesuffix('.')}[].", told)
    if isinstance(more, dict) and nested(resolved(more, root)):
        yield from keys(more, root, f"{place}<name>.", told)


def resolved(schema: Schema, root: Schema) -> Schema:
    """A schema with what its reference points to."""
    if "$ref" not in schema:
        return schema
    found = root
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def nested(schema: Schema) -> bool:
    """Whether it has keys of its own, named or not."""
    return bool(schema.get("properties")) or isinstance(schema.get("additionalProperties"), dict)


def meaning(schema: Schema) -> str:
    """What a schema says, in a line that may follow a colon."""
    first, more = str(schema["description"]).strip().rstrip("."), str(schema.get("x-manual", "")).strip()
    words = [re.escape(str(one)) for one in schema.get("enum", ()) if one != ""]
    return f"{coded(first, words)}. {more}".strip()


def coded(text: str, words: Sequence[str]) -> str:
    """Plain words of a schema as Markdown: values, and whatever would be markup, as code."""
    if "`" in text:
        return text
    text = re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"`\1`", text)
    marked = r"[\w./<>{}*|-]*[_<{*|][\w./<>{}*|-]*[\w/<>{}*|]"
    files = r"[\w/-]+\.(?:tsv|csv|yaml|jsonl?|parquet|txt)\b"
    for word in words:  # each where it is named, which is before it is spoken of
        text = re.sub(rf"(?<![\w./`-]){word}(?![\w./`-])", f"`{word}`", text, count=1)
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(p if p.startswith("`") else re.sub(f"{marked}|{files}", r"`\g<0>`", p) for p in parts)


def values(schema: Schema) -> str:
    """What a value may be, in words."""
    if "enum" in schema:
        if all(f"`{one}`" in meaning(schema) for one in schema["enum"]):
            return ""
        return " or ".join(f"`{one}`" if one != "" else "nothing" for one in schema["enum"])
    kinds = schema.get("type", "object")
    found = [kind_in_words(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(filter(None, found))


def kind_in_words(kind: str, schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    bounds = [
        f"from {least}" if least is not None else "",
        f"above {above}" if above is not None else "",
        f"to {most}" if most is not None else "",
        f"below {below}" if below is not None else "",
    ]
    given = [*filter(None, bounds)]
    bound = " ".join(given) if least is not None else " and ".join(given)
    words = {
        "string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`",
        "array": "list", "object": "mapping", "null": "`null`",
    }  # fmt: skip
    return f"{words[kind]} {bound}".strip() if kind in ("integer", "number") else words[kind]


def value_at(config: Any, place: str) -> Any:
    """What a config has at a dotted place; ... where it has nothing."""
    for part in place.split("."):
        if not isinstance(config, Mapping) or part not in config:
            return ...
        config = config[part]
    return config


def shown(value: Any) -> str:
    """A value as short YAML; nothing where there is none or it is long."""
    if value is ... or isinstance(value, Mapping):
        return ""
    text = json.dumps(value, ensure_ascii=False).replace('"', "") if isinstance(value, list) else scalar(value)
    return f"`{text}`" if 0 < len(text) <= 60 else ""


def scalar(value: Any) -> str:
    """One value as YAML writes it."""
    return json.dumps(value, ensure_ascii=False) if value is None or isinstance(value, bool) else str(value)
