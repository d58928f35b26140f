"""The part of the DeepL protocol that the client uses, on this machine."""

import json
import time
from xml.etree import ElementTree

from support.helpers import Drop, Server

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
    """

    def __init__(self, key, count=0, limit=500_000, faults=()):
        self.key, self.count, self.limit, self.faults = key, count, limit, list(faults)
        self.texts = []  # (text, target code) of each text that was translated
        self.slowness = 1.0
        super().__init__(self.reply)

    def reply(self, path, headers, body):
        if headers.get("Authorization") != f"DeepL-Auth-Key {self.key}":
            return 403, {"message": "Forbidden"}
        if path == "/v2/usage":
            return 200, {"character_count": self.count, "character_limit": self.limit}
        fault = self.faults.pop(0) if self.faults else None
        if fault == "slow":
            time.sleep(self.slowness)
        if fault in ("drop", "slow", "cut"):
            raise Drop(in_the_middle=fault == "cut")
        if fault:
            status, *more = fault if isinstance(fault, tuple) else (fault,)
            return status, {"message": f"fault, {headers['Authorization']}"}, *more
        if len(body.encode()) > BYTES:
            return 413, {"message": "Request Entity Too Large"}
        asked = json.loads(body)
        if len(asked["text"]) > TEXTS:
            return 400, {"message": "Too many texts"}
        try:
            found = [translated(text, asked) for text in asked["text"]]
        except ElementTree.ParseError as error:
            return 400, {"message": f"Tag handling parsing failed: {error}"}
        billed = sum(characters for _, characters in found)
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


def translated(text, asked):
    """A translation and the characters that are billed for it."""
    if asked.get("tag_handling") != "xml":
        return f"{asked['target_lang']} {text}", len(text)
    root = ElementTree.fromstring(f"<x>{text}</x>")
    billed = len("".join(root.itertext()))
    root.text = f"{asked['target_lang']} {root.text or ''}"
    return ElementTree.tostring(root, encoding="unicode")[3:-4], billed
