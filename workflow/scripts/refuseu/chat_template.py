"""Whether a model has a chat template, and what its absence means."""

import json
from pathlib import Path

from refuseu.errors import UserError


def has_template(folder: str | Path) -> bool:
    """Whether the tokenizer in a folder comes with a chat template; Mistral's own format has one built in."""
    if any((Path(folder) / name).is_file() for name in ("chat_template.jinja", "chat_template.json", "tekken.json")):
        return True
    config = Path(folder) / "tokenizer_config.json"
    return config.is_file() and bool(json.loads(config.read_text(encoding="utf-8")).get("chat_template"))


def missing(model: str) -> UserError:
    """What to say of a model without one."""
    return UserError(
        f"{model} has no chat template, so that nobody knows how it is spoken to; name a file with one in the column "
        "chat_template of models.tsv, or choose a model that was trained to chat"
    )
