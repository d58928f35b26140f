"""Decoding, beside transformers' own."""

import torch
from transformers import AutoModelForCausalLM

from refuseu.backends.decoding import ROOM, decode, roomy_cache

LENGTHS = (3, 30, 11, 5, 1, 20, 2, 9, 14, 7)


def batch(pad):
    """Left-padded random conversations, and their mask."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.full((len(LENGTHS), max(LENGTHS)), pad)
    for row, length in enumerate(LENGTHS):
        ids[row, -length:] = torch.randint(10, 300, (length,), generator=generator)
    return ids, (torch.arange(max(LENGTHS)) >= max(LENGTHS) - torch.tensor(LENGTHS)[:, None]).long()


def test_the_tokens_are_those_that_transformers_generates(lively_model):
    model = AutoModelForCausalLM.from_pretrained(lively_model["repository"], dtype=torch.float32).eval()
    pad, longest = model.config.pad_token_id, ROOM + 20
    ids, mask = batch(pad)
    for ends in ([299], list(range(0, 400, 9)), list(range(0, 400, 40))):
        whole = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=longest,
            do_sample=False,
            eos_token_id=ends,
            pad_token_id=pad,
        )[:, ids.shape[1] :].tolist()
        first = [next((at + 1 for at, token in enumerate(row) if token in ends), longest) for row in whole]
        assert decode(model, ids, mask, [], ends, longest) == [row[:n] for row, n in zip(whole, first, strict=True)]


def test_those_who_have_ended_leave_and_a_processor_knows_who_is_left(lively_model):
    model = AutoModelForCausalLM.from_pretrained(lively_model["repository"], dtype=torch.float32).eval()
    seen = []

    def end_one_by_one(rows, scores):
        seen.append(rows.tolist())
        scores = scores.clone()
        scores[:, 7] = -torch.inf
        scores[rows < len(seen), 7] = torch.inf
        return scores

    ids, mask = batch(model.config.pad_token_id)
    said = decode(model, ids, mask, [end_one_by_one], [7], 50)
    assert [len(tokens) for tokens in said] == list(range(1, len(LENGTHS) + 1))
    assert seen[-1][-1] == len(LENGTHS) - 1 and len(seen[-1]) < 3 and len(seen) == len(LENGTHS)


def test_a_cache_with_room_holds_what_transformers_own_holds(lively_model):
    model = AutoModelForCausalLM.from_pretrained(lively_model["repository"], dtype=torch.float32).eval()
    from transformers import DynamicCache

    generator = torch.Generator().manual_seed(1)
    caches = roomy_cache(model.config), DynamicCache(config=model.config)
    for length in (5, 1, 1, ROOM, 1, 2 * ROOM, 1):
        states = torch.rand(2, 3, 4, length, 8, generator=generator)
        mine, own = (cache.update(states[0], states[1], 0) for cache in caches)
        assert all(torch.equal(a, b) for a, b in zip(mine, own, strict=True))
        assert caches[0].get_seq_length() == caches[1].get_seq_length()
    for cache in caches:
        cache.batch_select_indices(torch.tensor([2, 0]))
    mine, own = (cache.update(states[0, :2], states[1, :2], 0) for cache in caches)
    assert all(torch.equal(a, b) for a, b in zip(mine, own, strict=True))
