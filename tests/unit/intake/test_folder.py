"""Folders of models from GGUF files and other folders: the same answers, whatever they were made of."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from refuseu.errors import UserError
from refuseu.intake.folder import prepare
from refuseu.intake.texts import spoken
from support.helpers import ROOT
from support.weights import write_gguf

WANTED = {"model": "mine", "dtype": "float32", "start": False, "pieces": 500}
TEMPLATE = ROOT / "resources/miniature/templates/chat.jinja"
TEXTS = [str(ROOT / f"resources/miniature/languages/{code}.yaml") for code in ("en", "lv")]


def loaded(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32), AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def gguf(lively_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "lively.gguf"
    write_gguf(path, *loaded(lively_model["repository"]))
    return path


@pytest.fixture(scope="module")
def converted(gguf, tmp_path_factory):
    folder = tmp_path_factory.mktemp("converted")
    prepare(gguf, folder, WANTED, TEMPLATE, [])
    return folder


def test_a_gguf_file_becomes_the_same_model_in_safetensors(lively_model, converted):
    (model, tokenizer), (other, theirs) = loaded(lively_model["repository"]), loaded(converted)
    for text in ("Where is the library?", "Kur atrodas bibliotēka? <|eot_id|>"):
        assert tokenizer(text).input_ids == theirs(text).input_ids
    ids = tokenizer("Where is the library?", return_tensors="pt").input_ids
    torch.testing.assert_close(other(ids).logits, model(ids).logits, atol=1e-4, rtol=1e-4)
    assert "quantization_config" not in json.loads((converted / "config.json").read_text())
    assert other.config.eos_token_id == tokenizer.eos_token_id


def test_texts_begin_with_the_token_for_it_once_whichever_way_they_are_read(converted):
    from refuseu.backends.prompt_tokens import chat_ids, raw_ids

    tokenizer = AutoTokenizer.from_pretrained(converted)
    for ids in (tokenizer("Hello").input_ids, raw_ids(tokenizer, "Hello"),
                chat_ids(tokenizer, [{"role": "user", "content": "Hello"}], add_generation_prompt=True)):  # fmt: skip
        assert ids[0] == tokenizer.bos_token_id and ids.count(tokenizer.bos_token_id) == 1


def test_a_model_that_nobody_can_speak_to_is_refused_with_the_cure_unless_it_only_starts_others(gguf, tmp_path):
    with pytest.raises(UserError, match=r"'mine' of models.tsv has no chat template, .* column chat_template"):
        prepare(gguf, tmp_path / "out", WANTED, None, [])
    assert not (tmp_path / "out/card.json").exists()
    prepare(gguf, tmp_path / "out", WANTED | {"start": True}, None, [])
    assert (tmp_path / "out/card.json").exists()


def test_a_trimmed_vocabulary_says_what_the_whole_one_says(converted, tmp_path):
    prepare(converted, tmp_path / "small", WANTED, None, TEXTS)
    (model, tokenizer), (small, fewer) = loaded(converted), loaded(tmp_path / "small")
    card = json.loads((tmp_path / "small/card.json").read_text())
    assert card["vocabulary"]["pieces"] == len(fewer) == small.config.vocab_size < len(tokenizer)
    for text in spoken(TEXTS):
        found, expected = (one.convert_ids_to_tokens(one(text).input_ids) for one in (fewer, tokenizer))
        assert found == expected
    kept = tokenizer.convert_tokens_to_ids(fewer.convert_ids_to_tokens(range(len(fewer))))
    ids, own = (one("Where is the library?", return_tensors="pt").input_ids for one in (tokenizer, fewer))
    torch.testing.assert_close(small(own).logits, model(ids).logits[..., kept])
    assert small.get_output_embeddings().weight is small.get_input_embeddings().weight
    assert fewer.convert_ids_to_tokens(small.config.eos_token_id) == tokenizer.eos_token == fewer.eos_token
    assert fewer.decode(fewer("日本 ©").input_ids, skip_special_tokens=True) == "日本 ©"  # byte by byte


def test_a_chat_template_alone_copies_no_weights(lively_model, tmp_path):
    template = tmp_path / "own.jinja"
    template.write_text("{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}")
    prepare(lively_model["repository"], tmp_path / "out", WANTED, template, [])
    assert (tmp_path / "out/model.safetensors").is_symlink()
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == template.read_text()
    assert AutoTokenizer.from_pretrained(lively_model["repository"]).chat_template != template.read_text()
