"""A guard is asked with the words that it was trained with, or with ours if that is said."""

import hashlib

import pytest

from refuseu.assets import excerpt
from refuseu.errors import UserError
from refuseu.evaluation.guards import TEMPLATES
from refuseu.study.study import Study
from refuseu.study.wiring import Wiring
from refuseu.wording import pins


def pin(path, text):
    digests = (hashlib.sha256(one).hexdigest() for one in (path.read_bytes(), text.encode()))
    return {"source": str(path), "after": 'TEXT = """', "before": '"""'} | dict(
        zip(("sha256", "text_sha256"), digests, strict=True)
    )


def test_the_text_is_taken_from_between_its_marks(tmp_path):
    file = tmp_path / "theirs.py"
    file.write_text('import x\nTEXT = """Judge this.\n{prompt}"""\nOTHER = """no"""\n')
    assert excerpt(pin(file, "Judge this.\n{prompt}"), offline=True) == "Judge this.\n{prompt}"
    with pytest.raises(UserError, match=r"correct the pin, or set judging\.paraphrase"):
        excerpt(pin(file, "Another."), offline=True)
    with pytest.raises(UserError, match="it is another file than the pinned one"):
        excerpt(pin(file, "Judge this.") | {"sha256": "0" * 64}, offline=True)


def test_the_guards_that_have_one_exact_text_are_pinned():
    assert set(pins()) == {"polyguard", "wildguard"} <= {name for names in TEMPLATES.values() for name in names}
    assert all(one["source"].startswith("https://") for one in pins().values())


def test_a_paraphrase_is_used_only_if_that_is_said(paper):
    assert Wiring(Study(paper)).templates("polyguard") == {"polyguard": "results/paper/wording/polyguard.txt"}
    assert Wiring(Study(paper)).templates("gpt_4o_mini") == {"classify": "resources/templates/classify.txt"}
    paper["judging"]["paraphrase"] = True
    assert Wiring(Study(paper)).templates("polyguard") == {"polyguard": "resources/templates/polyguard.txt"}
