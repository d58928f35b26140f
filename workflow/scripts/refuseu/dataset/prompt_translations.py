"""Prompts of pairs in several languages, for the consistency loss."""

import logging
from collections.abc import Sequence

from refuseu.dataset.translator import Translator, Wanted
from refuseu.rows import Pair, Translation

log = logging.getLogger("refuseu")


def translate_prompts(pairs: Sequence[Pair], languages: Sequence[str], translator: Translator) -> list[Translation]:
    """Each pair's prompt in every language: ``pair_id`` and ``translations`` by language.

    Pairs whose prompt has no translation in some language are left out, and counted in the log.
    """
    texts: dict[str, dict[str, str]] = {pair["pair_id"]: {pair["language"]: pair["prompt"]} for pair in pairs}
    missing = [
        (pair["pair_id"], Wanted(pair["prompt"], source, target))
        for source in dict.fromkeys(pair["language"] for pair in pairs)
        for target in languages
        if target != source
        for pair in pairs
        if pair["language"] == source
    ]
    for (key, one), text in zip(missing, translator.translate([one for _, one in missing]), strict=True):
        if text is not None:
            texts[key][one.target] = text
    whole = [
        Translation(pair_id=key, translations={code: found[code] for code in languages})
        for key, found in texts.items()
        if set(languages) <= set(found)
    ]
    log.info("%d of %d prompts have all translations", len(whole), len(pairs))
    return whole
