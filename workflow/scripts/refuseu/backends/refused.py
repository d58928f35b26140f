"""Parameters that a server refuses: found out once, noted beside the journal, and left out from then on."""

import json
import logging
from pathlib import Path

from refuseu.records import write_text

log = logging.getLogger("refuseu")
# Fields of `refuseu.backends.completion.Decoding` that are sent under other names.
SENT_AS = {"first_logprobs": ("logprobs", "top_logprobs")}


class Refused:
    """What the model of a journal does not take.

    Parameters
    ----------
    journal : of the model; the note lies beside it, and ends in .refused.json
    who : id of the model
    """

    def __init__(self, journal: str | Path, who: str):
        self.path, self.who = Path(journal).with_suffix(".refused.json"), who
        self.parameters: list[str] = json.loads(self.path.read_text("utf-8")) if self.path.exists() else []

    def add(self, parameter: str) -> None:
        """Note one more; log-probabilities go as a whole."""
        log.warning("%s does not take the parameter %s and is asked without it", self.who, parameter)
        together = SENT_AS["first_logprobs"]
        self.parameters += together if parameter in together else (parameter,)
        write_text(self.path, json.dumps(self.parameters) + "\n")

    def concerns(self, field: str) -> bool:
        """Whether what a field of the decoding says is not sent, so that no answer depends on it."""
        return any(name in self.parameters for name in SENT_AS.get(field, (field,)))
