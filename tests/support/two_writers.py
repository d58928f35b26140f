"""Jobs that want the same answers of a translation API, an OpenAI API or an engine; each believes itself on a host."""

import os
import socket

from refuseu.backends.completion import Decoding
from refuseu.backends.journaled import complete
from refuseu.dataset import deepl
from refuseu.dataset.translation import Journaled
from refuseu.dataset.translator import Wanted
from refuseu.job import lease

TEXTS = [f"text {number}" for number in range(40)]
CONVERSATIONS = [[{"role": "user", "content": text}] for text in TEXTS]
AT_A_TIME = 4  # texts per request, requests at a time, or conversations per batch
GREEDY = Decoding(0.0, 1.0, 2)


def ask(kind, host, row, journal, paid):
    """A job on a host.

    Parameters
    ----------
    row : settings of the translator, or a row of models.tsv
    paid : where an engine notes what it has computed
    """
    lease.BEAT, lease.STALE = 0.1, 3.0
    lease.machine = lambda: host
    socket.gethostname = lambda: host
    if kind == "deepl":
        deepl.TEXTS_PER_REQUEST = AT_A_TIME
        found = Journaled(row, journal).translate([Wanted(text, "pl", "de") for text in TEXTS])
        assert found == [f"DE {text}" for text in TEXTS]
        return
    if kind == "engine":
        count(paid)
    found = complete(row, None, CONVERSATIONS, GREEDY, journal, AT_A_TIME)
    assert len(found) == len(TEXTS)
    if kind == "openai":
        assert [one.text for one in found] == [text.upper() for text in TEXTS]


def count(paid):
    """Let the engine note each conversation that it has computed an answer to."""
    from refuseu.backends.local import Transformers

    original = Transformers.complete

    def counted(self, conversations, decoding, seeds):
        for index, completion in original(self, conversations, decoding, seeds):
            handle = os.open(paid, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, f"{conversations[index][0]['content']}\n".encode())
            os.close(handle)
            yield index, completion

    Transformers.complete = counted
