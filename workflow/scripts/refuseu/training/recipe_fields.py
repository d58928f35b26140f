"""Fields of the configs of TRL and PEFT as a closed schema: ``make schemas`` writes it, and a dry run needs it only.

Written anew after a change of these libraries; `refuseu.recipes` checks recipes against it.
"""

import json
import types
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from peft import LoraConfig
from trl.experimental.cpo import CPOConfig
from trl.experimental.orpo import ORPOConfig
from trl.trainer.dpo_config import DPOConfig
from trl.trainer.sft_config import SFTConfig

from refuseu.recipes import FIELDS
from refuseu.records import write_text

CONFIGS: tuple[type, ...] = (DPOConfig, SFTConfig, ORPOConfig, CPOConfig, LoraConfig)
DESCRIPTION = "Fields of the configs of TRL and PEFT with their JSON types; made by `make schemas`"
JSON = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def json_types(hint: Any) -> set[str]:
    """Names of the JSON types that a value of this type may have in a recipe."""
    if get_origin(hint) in (Union, types.UnionType):
        return set().union(*map(json_types, get_args(hint)))
    if get_origin(hint) is Literal:
        return set().union(*(json_types(type(value)) for value in get_args(hint)))
    if hint is types.NoneType:
        return {"null"}
    kind = get_origin(hint) or hint
    if issubclass(kind, Enum):
        return {"string"}
    return {"object" if is_dataclass(kind) else JSON[kind]}


def schema() -> str:
    """The schema, one field a line."""
    closed = '"type": "object",\n   "additionalProperties": false,\n   "properties": {\n'
    configs = []
    for config in CONFIGS:
        hints = get_type_hints(config)
        rows = [f'    "{f.name}": {json.dumps({"type": sorted(json_types(hints[f.name]))})}' for f in fields(config)]
        configs.append(f'  "{config.__name__}": {{\n   {closed}' + ",\n".join(sorted(rows)) + "\n   }\n  }")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "description": DESCRIPTION}
    return json.dumps(head, indent=1)[:-2] + ',\n "$defs": {\n' + ",\n".join(configs) + "\n }\n}\n"


if __name__ == "__main__":
    write_text(FIELDS, schema())
