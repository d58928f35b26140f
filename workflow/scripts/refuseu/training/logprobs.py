"""Reference log-probabilities on disk: what they depend on, and whether a file fits a training run."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from refuseu.asked import Asked
from refuseu.errors import UserError
from refuseu.records import Record, atomic, digest, file_digest
from refuseu.training.tokens import Tokens, token_digest

REFERENCE = ("ref_chosen_logps", "ref_rejected_logps")
# Fields of DPOConfig on which they depend beside the pairs' tokens.
SETTINGS = ("max_length", "bf16", "fp16", "ld_alpha")


def basis(base: Asked, tokenizer: Any, config: Any) -> Record:
    """What a base's reference log-probabilities depend on beside the tokens of the pair.

    Parameters
    ----------
    base : a row of models.tsv as a dict
    config : of the trainer
    """
    local = base["revision"] == "local"
    weights = [file_digest(file) for file in sorted(Path(base["repository"]).glob("*.safetensors"))] if local else []
    return {
        "repository": "" if local else base["repository"],
        "revision": digest(weights) if local else base["revision"],
        "dtype": base["dtype"],
        "chat_template": digest(tokenizer.chat_template),
        **{key: getattr(config, key, None) for key in SETTINGS},
    }


def write_reference(path: str | Path, found: Record, rows: Sequence[Tokens], values: Sequence[Record]) -> None:
    """Write them as parquet, with their basis in the metadata and a digest of each pair's tokens."""
    import pyarrow
    from pyarrow import parquet

    columns = {"pair_id": [row["pair_id"] for row in rows], "tokens": [token_digest(row) for row in rows]}
    columns |= {name: [value[name] for value in values] for name in REFERENCE}
    table = pyarrow.table(columns).replace_schema_metadata({"basis": json.dumps(found)})
    with atomic(path) as temporary:
        parquet.write_table(table, temporary)


def join_reference(rows: Sequence[Tokens], path: str | Path, expected: Record) -> list[Tokens]:
    """The rows with their reference log-probabilities.

    Parameters
    ----------
    rows : what `tokenise` returned
    expected : the basis of the run

    Raises
    ------
    UserError
        If the file was made on another basis, naming the key, or for other tokens of a pair.
    """
    from pyarrow import parquet

    table = parquet.read_table(path)
    found = json.loads((table.schema.metadata or {}).get(b"basis", b"{}"))
    cure = "run rule reference again (--forcerun reference)"
    for key, value in expected.items() if digest(found) != digest(expected) else ():
        if found.get(key) != value:
            raise UserError(f"{path} was made with {key} {found.get(key)!r}, and this run has {value!r}; {cure}")
    stored = {row.pop("pair_id"): row for row in table.to_pylist()}
    joined: list[Tokens] = []
    for row in rows:
        value = stored.get(row["pair_id"], {})
        if value.get("tokens") != token_digest(row):
            raise UserError(f"{path} has no log-probabilities for the tokens of pair {row['pair_id']!r}; {cure}")
        chosen, rejected = (value[name] for name in REFERENCE)
        joined.append({**row, "ref_chosen_logps": chosen, "ref_rejected_logps": rejected})
    return joined
