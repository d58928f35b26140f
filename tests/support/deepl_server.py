"""The part of the DeepL protocol that the client uses, on this machine."""

import json
import threading
import time
from xml.etree import ElementTree

from support.helpers import Drop, Server

SOURCES = ("CS", "DE", "EN", "ES", "FR", "IT", "LT", "LV", "PL", "PT", "SK", "SL")
TARGETS = (*({*SOURCES} - {"EN", "PT"}), "EN-GB", "EN-US", "PT-BR", "PT-PT")
TEXTS = 50
BYTES = 128 * 1024


class DeepLServer(Server):
    """Translates by writing the target code in front; counts the texts and the characters it bills.

    Texts are read and written as XML where the client says so, as DeepL does.

    Parameters
    ----------
    key : the one that is accepted
    count, limit : characters used before, and the quota
    faults : what happens to the requests for translation, one after the other, before all is well: a
        status, a status with headers, ``drop`` (no answer), ``cut`` (half an answer), ``slow`` (nothing
        for `slowness` seconds), None (an answer)
    anywhere : the same for all requests, of quota and languages too; the official mock fails so
    echo : whether a translation is its source
    bills_tags : whether tags are billed, too, as the official mock does
    """

    def __init__(self, key, count=0, limit=500_000, faults=(), anywhere=(), echo=False, bills_tags=False):
        self.key, self.count, self.limit = key, count, limit
        self.faults, self.anywhere = list(faults), list(anywhere)
        self.echo, self.bills_tags = echo, bills_tags
        self.lock = threading.Lock()
        self.texts = []  # (text, target code) of each text that was translated
        self.slowness = 1.0
        super().__init__(self.reply)

    def reply(self, path, headers, body):
        if headers.get("Authorization") != f"DeepL-Auth-Key {self.key}":
            return 403, {"message": "Forbidden"}
        translating = path == "/v2/translate"
        faults = self.anywhere or (self.faults if translating else [])
        fault = faults.pop(0) if faults else None
        if fault == "slow":
            time.sleep(self.slowness)
        if fault in ("drop", "slow", "cut"):
            raise Drop(in_the_middle=fault == "cut")
        if fault:
            status, *more = fault if isinstance(fault, tuple) else (fault,)
            return status, {"message": f"fault, {headers['Authorization']}"}, *more
        if path == "/v2/usage":
            return 200, {"character_count": self.count, "character_limit": self.limit}
        if path.startswith("/v2/languages"):
            codes = TARGETS if "target" in path + body else SOURCES
            return 200, [{"language": code, "name": code} for code in codes]
        if len(body.encode()) > BYTES:
            return 413, {"message": "Request Entity Too Large"}
        asked = json.loads(body)
        if len(asked["text"]) > TEXTS:
            return 400, {"message": "Too many texts"}
        for end, codes in (("source_lang", SOURCES), ("target_lang", TARGETS)):
            if asked[end] not in codes:
                return 400, {"message": f"Value for '{end}' not supported."}
        try:
            found = [translated(text, asked, self.echo) for text in asked["text"]]
        except ElementTree.ParseError as error:
            return 400, {"message": f"Tag handling parsing failed: {error}"}
        billed = sum(map(len, asked["text"])) if self.bills_tags else sum(characters for _, characters in found)
        with self.lock:
            if self.count + billed > self.limit:
                return 456, {"message": "Quota Exceeded"}
            self.count += billed
            self.texts += [(text, asked["target_lang"]) for text in asked["text"]]
        return 200, {
            "translations": [
                {"detected_source_language": asked["source_lang"], "text": text, "billed_characters": characters}
                for text, characters in found
            ]
        }

    @property
    def asked(self):
        """Bodies of the requests for translation."""
        return [json.loads(body) for _, _, body in self.paths("/v2/translate")]


def translated(text, asked, echo=False):
    """A translation and the characters that are billed for it."""
    mark = "" if echo else f"{asked['target_lang']} "
    if asked.get("tag_handling") != "xml":
        return f"{mark}{text}", len(text)
    root = ElementTree.fromstring(f"<x>{text}</x>")
    billed = len("".join(root.itertext()))
    root.text = f"{mark}{root.text or ''}"
    return ElementTree.tostring(root, encoding="unicode")[3:-4], billed
