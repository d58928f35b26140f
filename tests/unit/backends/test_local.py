"""The backend that answers in this process, with a tiny Llama of random weights."""

import json
import math
import shutil

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from refuseu.backends.completion import Decoding
from refuseu.backends.identity import identity
from refuseu.backends.journaled import complete
from refuseu.backends.local import SeededSampling, TopLogprobs, Transformers, end_tokens, read, token_ids
from refuseu.errors import UserError

GREEDY = Decoding(0.0, 1.0, 12)
SAMPLED = Decoding(1.0, 0.95, 12)
WORDS = ["What", "is", "the", "capital", "of", "France", "and", "why", "do", "you", "ask"] * 2
PROMPTS = [[{"role": "user", "content": " ".join(WORDS[:n])}] for n in (1, 17, 3, 9, 2, 12)]
PROMPTS += ["The stranger said:", "Zażółć"]
SEEDS = list(range(100, 100 + len(PROMPTS)))


@pytest.fixture(scope="module")
def backend(tiny_model):
    return Transformers(tiny_model, None, batch_size=3)


def ask(backend, prompts, decoding, seeds, batch_size):
    backend.batch_size = batch_size
    found = dict(backend.complete(prompts, decoding, seeds))
    assert sorted(found) == list(range(len(prompts)))
    return [found[i] for i in range(len(prompts))]


@pytest.mark.parametrize("decoding", [GREEDY, SAMPLED], ids=["greedy", "sampled"])
def test_an_answer_does_not_depend_on_the_batch_it_is_in(lively_model, decoding):
    backend = Transformers(lively_model, None, batch_size=3)
    together = ask(backend, PROMPTS, decoding, SEEDS, 8)
    assert ask(backend, PROMPTS, decoding, SEEDS, 1) == together
    assert ask(backend, PROMPTS, decoding, SEEDS, 3) == together
    turned = ask(backend, PROMPTS[::-1], decoding, SEEDS[::-1], 4)
    assert turned[::-1] == together
    assert ask(backend, PROMPTS[2:4], decoding, SEEDS[2:4], 2) == together[2:4]
    assert len({found.text for found in together}) == len(PROMPTS)


def test_batches_hold_conversations_of_like_length(backend, monkeypatch):
    lengths = []
    complete = backend._complete
    monkeypatch.setattr(
        backend, "_complete", lambda ids, *more: lengths.append([len(one) for one in ids]) or complete(ids, *more)
    )
    ask(backend, PROMPTS, GREEDY, SEEDS, 3)
    flat = [length for batch in lengths for length in batch]
    assert flat == sorted(flat, reverse=True) and [len(batch) for batch in lengths] == [3, 3, 2]


@torch.no_grad()
def test_weights_are_loaded_in_the_type_that_the_row_names(lively_model):
    for name, dtype in (("bfloat16", torch.bfloat16), ("float32", torch.float32), ("auto", torch.float32)):
        backend = Transformers(lively_model | {"dtype": name}, None, 2)
        assert {weights.dtype for weights in backend.model.parameters()} == {dtype}
        assert len(ask(backend, PROMPTS[:3], GREEDY, SEEDS[:3], 2)) == 3


def test_seeds_matter_only_when_sampling(backend):
    prompts = [PROMPTS[0]] * 6
    assert len({c.text for c in ask(backend, prompts, GREEDY, list(range(6)), 6)}) == 1
    assert len({c.text for c in ask(backend, prompts, SAMPLED, list(range(6)), 6)}) == 6
    assert len({c.text for c in ask(backend, prompts, SAMPLED, [7] * 6, 3)}) == 1


def test_greedy_is_the_most_likely_token_at_every_step(backend):
    ids = token_ids(backend.tokenizer, PROMPTS[3])
    expected = list(ids)
    with torch.no_grad():
        for _ in range(GREEDY.max_new_tokens):
            expected.append(backend.model(torch.tensor([expected])).logits[0, -1].argmax().item())
    [found] = ask(backend, [PROMPTS[3]], GREEDY, [0], 1)
    assert found.text == backend.tokenizer.decode(expected[len(ids) :], skip_special_tokens=True)
    assert (found.prompt_tokens, found.completion_tokens) == (len(ids), GREEDY.max_new_tokens)


def test_a_chat_is_rendered_with_one_beginning_and_a_continuation_as_it_is(backend):
    tokenizer = backend.tokenizer
    chat, raw = token_ids(tokenizer, [{"role": "user", "content": " Hi {x} "}]), token_ids(tokenizer, " Raw ")
    assert tokenizer.decode(chat) == (
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi {x}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )
    assert tokenizer.decode(raw) == "<|begin_of_text|> Raw "
    assert [ids.count(tokenizer.bos_token_id) for ids in (chat, raw)] == [1, 1]


def test_a_tokenizer_that_finds_no_special_tokens_in_text_is_asked_for_ids(backend, monkeypatch):
    """As Mistral's, in whose text ``[INST]`` is five characters."""
    expected = token_ids(backend.tokenizer, PROMPTS[3])
    monkeypatch.setattr(backend.tokenizer, "encode", lambda *_, **__: [])
    assert token_ids(backend.tokenizer, PROMPTS[3]) == expected


def test_a_checkpoints_own_way_of_answering_does_not_count(lively_model, tmp_path):
    folder = shutil.copytree(lively_model["repository"], tmp_path / "model")
    own = {"repetition_penalty": 5.0, "no_repeat_ngram_size": 1, "temperature": 0.1, "do_sample": True}
    (folder / "generation_config.json").write_text(json.dumps(own))
    as_it_is, penalised = (Transformers(lively_model | {"repository": str(place)}, None, 4)
                           for place in (lively_model["repository"], folder))  # fmt: skip
    assert ask(penalised, PROMPTS, GREEDY, SEEDS, 4) == ask(as_it_is, PROMPTS, GREEDY, SEEDS, 4)


def test_a_template_with_a_date_tells_the_same_one_every_day(backend, monkeypatch):
    told = "{% if not date_string is defined %}{% set date_string = strftime_now('%Y') %}{% endif %}{{ date_string }}"
    monkeypatch.setattr(backend.tokenizer, "chat_template", told)
    asked = token_ids(backend.tokenizer, [{"role": "user", "content": "Hi"}])
    assert backend.tokenizer.decode(asked) == "26 Jul 2024"


# How an answer ends


def test_an_answer_ends_with_any_end_that_tokenizer_or_model_names(backend):
    known = backend.tokenizer.get_vocab()
    named = [known[token] for token in ("<|eot_id|>", "<|end_of_text|>") if token in known]
    ends = set(named) | {backend.tokenizer.eos_token_id}
    assert set(end_tokens(backend.tokenizer)) == ends
    assert set(end_tokens(backend.tokenizer, 7)) == set(end_tokens(backend.tokenizer, [7])) == ends | {7}


def test_of_an_answer_in_channels_the_final_one_counts(tiny_model):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model["repository"])
    marks = ["<|channel|>", "<|message|>", "<|end|>", "<|start|>"]
    tokenizer.add_special_tokens({"extra_special_tokens": marks})
    texts = {
        "<|channel|>analysis<|message|>I think<|end|><|start|>assistant<|channel|>final<|message|>I say": "I say",
        "<|channel|>analysis<|message|>I think and": "",
        "I<|end|> say": "I say",
    }
    for text, said in texts.items():
        assert read(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"]) == said


@pytest.fixture
def ends(backend):
    before = list(backend.ends)
    yield backend
    backend.ends = before


def generated(backend, prompt, seed):
    """Token ids of the sampled answer without any end."""
    ids = token_ids(backend.tokenizer, prompt)
    sampling, found = SeededSampling(SAMPLED, [seed]), list(ids)
    with torch.no_grad():
        for _ in range(SAMPLED.max_new_tokens):
            logits = backend.model(torch.tensor([found])).logits[:, -1]
            found.append(sampling(torch.arange(1), logits).argmax().item())
    return found[len(ids) :]


def test_an_answer_that_is_cut_says_so(ends):
    tokens = generated(ends, PROMPTS[1], 1)
    ends.ends = [next(i for i in range(len(ends.tokenizer)) if i not in tokens)]
    [found] = ask(ends, [PROMPTS[1]], SAMPLED, [1], 1)
    assert (found.finish_reason, found.completion_tokens) == ("length", 12)
    assert found.text == ends.tokenizer.decode(tokens, skip_special_tokens=True)


def test_an_answer_stops_at_the_first_end_and_the_end_is_no_part_of_it(ends):
    tokens = generated(ends, PROMPTS[1], 1)
    at = next(i for i in range(1, len(tokens)) if tokens[i] not in tokens[:i])
    ends.ends = [tokens[at]]
    # In a batch with a longer answer, so that padding follows the end.
    found = ask(ends, [PROMPTS[1], PROMPTS[0]], SAMPLED, [1, 2], 2)[0]
    assert (found.finish_reason, found.completion_tokens) == ("stop", at)
    assert found.text == ends.tokenizer.decode(tokens[:at], skip_special_tokens=True)


def test_an_answer_may_be_empty(ends):
    ends.ends = list(range(len(ends.tokenizer)))
    [found] = ask(ends, [PROMPTS[1]], Decoding(0.0, 1.0, 12, first_logprobs=True), [0], 1)
    assert (found.text, found.finish_reason, found.completion_tokens) == ("", "stop", 0)
    assert found.first_logprobs is None


# Log-probabilities of the first word


def test_first_logprobs_are_those_of_the_first_step(backend):
    decoding = Decoding(0.0, 1.0, 2, first_logprobs=True)
    with torch.no_grad():
        ids = token_ids(backend.tokenizer, PROMPTS[3])
        scores = torch.log_softmax(backend.model(torch.tensor([ids])).logits[0, -1].float(), -1)
    if not backend.tokenizer.decode([scores.argmax().item()]).strip():
        pytest.skip("the random model begins with a blank")
    for batch in (1, 8):
        found = ask(backend, PROMPTS, decoding, SEEDS, batch)[3].first_logprobs
        best = backend.tokenizer.decode([scores.argmax().item()])
        assert found[best] == pytest.approx(scores.max().item(), abs=1e-4)
        assert len(found) <= 20
        assert max(found.values()) == found[best]


def test_blank_tokens_before_the_first_word_are_skipped(backend):
    newline, word = (backend.tokenizer(t, add_special_tokens=False)["input_ids"][0] for t in ("\n", "I"))
    top = TopLogprobs()
    for step in range(4):
        scores = torch.zeros(2, len(backend.tokenizer))
        scores[1, step] = 10.0 + step
        top(torch.arange(2), scores)
    found = backend._completion([newline, newline, word, word], 5, top, 1).first_logprobs
    # The third step: token 2 has the logit 12, all others 0.
    total = math.log(math.exp(12) + len(backend.tokenizer) - 1)
    assert found[backend.tokenizer.decode([2])] == pytest.approx(12 - total, abs=1e-4)
    assert backend._completion([newline, newline], 5, top, 1).first_logprobs is None


# Sampling


def draws(logits, temperature, top_p, n=4000):
    sampler = SeededSampling(Decoding(temperature, top_p, 1), list(range(n)))
    scores = torch.tensor(logits, dtype=torch.float32).log().expand(n, -1)
    return torch.bincount(sampler(torch.arange(n), scores).argmax(-1), minlength=len(logits)) / n


def test_sampling_draws_from_the_softmax():
    assert draws([0.5, 0.3, 0.2], 1.0, 1.0).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    # At temperature 0.5 the probabilities are squared: 25, 9 and 4 of 38.
    assert draws([0.5, 0.3, 0.2], 0.5, 1.0).tolist() == pytest.approx([25 / 38, 9 / 38, 4 / 38], abs=0.03)


@pytest.mark.parametrize(
    ("top_p", "expected"),
    [(0.4, [1, 0, 0]), (0.6, [0.5 / 0.8, 0.3 / 0.8, 0]), (0.81, [0.5, 0.3, 0.2]), (1.0, [0.5, 0.3, 0.2])],
)
def test_the_nucleus_is_the_fewest_tokens_that_reach_its_mass(top_p, expected):
    assert draws([0.5, 0.3, 0.2], 1.0, top_p).tolist() == pytest.approx(expected, abs=0.03)


# Adapters


@torch.no_grad()
def test_a_merged_adapter_answers_as_the_unmerged_one(tiny_model, adapter, backend):
    merged = Transformers(tiny_model, adapter, 4)
    base = AutoModelForCausalLM.from_pretrained(tiny_model["repository"], dtype=torch.float32)
    unmerged = PeftModel.from_pretrained(base, str(adapter)).eval()
    ids = torch.arange(10, 30)[None]
    torch.testing.assert_close(merged.model(ids).logits, unmerged(ids).logits, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(merged.model(ids).logits, backend.model(ids).logits, atol=1e-2)
    assert not isinstance(merged.model, PeftModel)


def test_an_adapter_and_other_weights_are_another_identity(tiny_model, adapter, tmp_path):
    who = identity(tiny_model, None)
    assert identity(tiny_model, adapter) != who
    assert identity(tiny_model | {"adapters": "merged"}, adapter) == identity(tiny_model, adapter)
    assert identity(tiny_model | {"adapters": "lora"}, adapter) != identity(tiny_model, adapter)
    assert identity(tiny_model | {"adapters": "lora"}, None) == who
    copy = tmp_path / "copy"
    shutil.copytree(tiny_model["repository"], copy)
    assert identity(tiny_model | {"repository": str(copy)}, None) == who
    (copy / "generation_config.json").write_text('{"eos_token_id": [1, 2, 3]}')  # answers end elsewhere
    assert identity(tiny_model | {"repository": str(copy)}, None) != who
    shutil.copy(f"{tiny_model['repository']}/generation_config.json", copy)
    assert identity(tiny_model | {"repository": str(copy)}, None) == who
    weights = copy / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert identity(tiny_model | {"repository": str(copy)}, None) != who


def test_a_folder_without_safetensors_is_named(tiny_model, tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UserError, match=r"holds no safetensors weights; correct the column repository of models\.tsv"):
        identity(tiny_model | {"repository": str(tmp_path)}, None)


# Through the journal


def test_what_the_journal_knows_needs_no_model(tiny_model, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model["repository"], folder)
    row, journal = tiny_model | {"repository": str(folder)}, tmp_path / "journal.jsonl"
    first = complete(row, None, PROMPTS, GREEDY, journal, 4)
    (folder / "config.json").write_text("broken")  # a model that cannot be loaded any more
    assert complete(row, None, PROMPTS, GREEDY, journal, 2) == first
    assert complete(row, None, PROMPTS[::-1], GREEDY, journal, 4) == first[::-1]
    with pytest.raises(Exception):  # noqa: B017, PT011
        complete(row, None, ["new"], GREEDY, journal, 4)


def test_greedy_answers_do_not_depend_on_seeds_and_sampled_ones_do(tiny_model, tmp_path):
    journal, prompts = tmp_path / "journal.jsonl", [PROMPTS[0]] * 2
    complete(tiny_model, None, prompts, GREEDY, journal, 4, seeds=[1, 2])
    assert len(journal.read_text().splitlines()) == 1
    one, two = complete(tiny_model, None, prompts, SAMPLED, journal, 4, seeds=[1, 2])
    assert one.text != two.text
    assert len(journal.read_text().splitlines()) == 3
