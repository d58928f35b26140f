"""Greedy decoding in which a conversation that has ended leaves the batch, and a cache that grows in place.

The tokens are those of transformers' ``generate``, which goes on with the whole batch until its longest answer ends
and copies the whole cache at every token.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import pad
from transformers import DynamicCache, LlamaForCausalLM
from transformers.cache_utils import DynamicLayer

ROOM = 64  # tokens that a cache grows by
SHARE = 8  # conversations leave the batch when one in so many has ended

# (conversations still in the batch, their scores) → scores
Processor = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class RoomyLayer(DynamicLayer):
    """Keys and values of one layer, views of the filled part of a larger room."""

    rooms: list[torch.Tensor]
    keys: torch.Tensor
    values: torch.Tensor

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if before == 0 or after > self.rooms[0].shape[-2]:
            known = (self.keys, self.values) if before else (key_states[..., :0, :], value_states[..., :0, :])
            self.rooms = [self._larger(part, after + ROOM) for part in known]
        for room, part in zip(self.rooms, (key_states, value_states), strict=True):
            room[..., before:after, :] = part
        self.keys, self.values = (room[..., :after, :] for room in self.rooms)
        return self.keys, self.values

    @staticmethod
    def _larger(part: torch.Tensor, length: int) -> torch.Tensor:
        room = part.new_empty((*part.shape[:-2], length, part.shape[-1]))
        room[..., : part.shape[-2], :] = part
        return room

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        length = self.get_seq_length()
        if length:
            self.rooms = [self._larger(part[indices], length + ROOM) for part in (self.keys, self.values)]
            self.keys, self.values = (room[..., :length, :] for room in self.rooms)


def roomy_cache(config: Any) -> DynamicCache:
    """A model's cache; layers with a sliding window stay as they are."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    return cache


@contextmanager
def last_place_only(model: Any) -> Iterator[None]:
    """Inside, a Llama's last layer ends at the last place alone: on the others' feed-forward part no token depends.

    Of a model with two layers this is a third of the work on what it reads.
    """
    part = model.model.layers[-1].mlp if isinstance(model, LlamaForCausalLM) else None
    if part is None:
        yield
        return
    whole = part.forward
    part.forward = lambda states: pad(whole(states[:, -1:]), (0, 0, states.shape[1] - 1, 0))
    try:
        yield
    finally:
        part.forward = whole


@torch.no_grad()
def decode(
    model: Any,
    ids: torch.Tensor,
    mask: torch.Tensor,
    processors: Sequence[Processor],
    ends: Sequence[int],
    longest: int,
) -> list[list[int]]:
    """The most likely token at each step, until an end, which is part of what is returned, or so many tokens.

    Parameters
    ----------
    ids, mask : left-padded conversations
    """
    cache = roomy_cache(model.config)
    rows = torch.arange(len(ids), device=ids.device)
    stops = torch.tensor(ends, device=ids.device)
    places = (mask.cumsum(-1) - 1).clamp_min(0)
    said: list[list[int]] = [[] for _ in ids]
    ended = torch.zeros(len(ids), dtype=torch.bool, device=ids.device)
    for _ in range(longest):
        with last_place_only(model):
            scores = model(
                input_ids=ids,
                attention_mask=mask,
                position_ids=places,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
        scores = scores.float().to(mask.device)
        for processor in processors:
            scores = processor(rows, scores)
        ids = scores.argmax(-1, keepdim=True)
        for row, [token], over in zip(rows.tolist(), ids.tolist(), ended.tolist(), strict=True):
            if not over:
                said[row].append(token)
        mask, places = torch.cat([mask, torch.ones_like(mask[:, :1])], -1), places[:, -1:] + 1
        ended |= torch.isin(ids[:, 0], stops)
        if ended.all():
            break
        if SHARE * ended.sum() >= len(ended):  # what leaves makes the rest a copy
            left = (~ended).nonzero()[:, 0]
            cache.batch_select_indices(left.cpu())  # layers may be on several devices
            rows, ids, mask, places, ended = (part[left] for part in (rows, ids, mask, places, ended))
    return said
