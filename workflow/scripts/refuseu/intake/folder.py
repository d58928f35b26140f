"""The folder of a model: safetensors, tokenizer and chat template, from a file, a hub's snapshot or another folder."""

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from refuseu.chat_template import has_template, missing
from refuseu.intake.texts import spoken
from refuseu.intake.vocabulary import kept, trimmed
from refuseu.packaged import weights_file
from refuseu.records import file_digest, write_text
from refuseu.weights import check_weights

log = logging.getLogger("refuseu")
CARD = "card.json"  # written last: whoever finds it finds all
ENDS = ("bos_token", "eos_token", "pad_token", "unk_token")


def prepare(
    source: str | Path,
    target: str | Path,
    wanted: Mapping[str, Any],
    chat_template: str | Path | None,
    texts: Sequence[str],
) -> None:
    """Make the folder of a model.

    Parameters
    ----------
    source : folder with safetensors, or with one GGUF file, or such a file
    wanted : ``model``, ``dtype``, ``start`` (whether it only starts others and is never spoken to), ``pieces`` (least
        size of a trimmed vocabulary)
    chat_template : a file that takes the place of its own
    texts : files for which the vocabulary is trimmed; none keeps it whole

    Raises
    ------
    UserError
        If there are no weights, or no chat template and one is needed.
    """
    source, target = Path(source), Path(target)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    file = source if source.suffix == ".gguf" else weights_file(source)
    card: dict[str, Any] = {"model": wanted["model"]}
    converted = file is not None and file.suffix == ".gguf"
    if file and converted:
        model, tokenizer = read_gguf(file, wanted["dtype"])
        card |= {"converted_from": file.name, "sha256": file_digest(file)}
    else:
        check_weights(source)
        if not texts:
            link(source, target)
        else:
            model = AutoModelForCausalLM.from_pretrained(source, dtype=wanted["dtype"], use_safetensors=True)
            tokenizer = AutoTokenizer.from_pretrained(source)
    if texts:
        before = len(tokenizer)
        model, tokenizer = trim(model, tokenizer, texts, wanted["pieces"])
        card["vocabulary"] = {
            "pieces": len(tokenizer), "before": before, "texts": sorted(map(str, texts)),
            "how": "what the texts need, then the commonest in their letters (Abdaoui et al. 2020, Load What You Need)",
        }  # fmt: skip
        log.info("vocabulary: %d of %d pieces", len(tokenizer), before)
    if texts or converted:
        model.save_pretrained(target, max_shard_size="1000GB")
        tokenizer.save_pretrained(target)
    if chat_template:
        write_text(target / "chat_template.jinja", Path(chat_template).read_text(encoding="utf-8"))
        card["chat_template"] = str(chat_template)
    if not has_template(target) and not wanted["start"]:
        raise missing(f"model {wanted['model']!r} of models.tsv")
    for weights in target.glob("*.safetensors"):
        if not weights.is_symlink():
            weights.chmod(0o644)  # safetensors writes 0600, which shared stores cannot read
    write_text(target / CARD, json.dumps(card, indent=2) + "\n")


def link(source: Path, target: Path) -> None:
    """The files of a folder, as links: weights are not kept twice."""
    for file in source.iterdir():
        if file.is_file():
            (target / file.name).symlink_to(Path(os.path.abspath(file)).resolve())


def read_gguf(file: Path, dtype: str) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Weights of a GGUF file in full, and its tokenizer, which puts the beginning of a text first if the file says so.

    Parameters
    ----------
    dtype : of the weights; auto is float32, so that nothing is lost
    """
    precision = getattr(torch, "float32" if dtype == "auto" else dtype)
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=precision)
    read = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    # transformers adds special tokens of its own, for which there are no weights.
    rows = model.get_input_embeddings().num_embeddings
    described = json.loads(read.backend_tokenizer.to_str())
    own = [token for token in read.convert_ids_to_tokens(range(len(read))) if read.convert_tokens_to_ids(token) < rows]
    tokenizer = plain(read, adds_bos(file), trimmed(described, own))
    model.hf_quantizer = None  # the weights are no longer quantised
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    for name in ("bos", "eos", "pad"):
        for config in (model.config, model.generation_config):
            setattr(config, f"{name}_token_id", getattr(tokenizer, f"{name}_token_id"))
    return model, tokenizer


def adds_bos(file: Path) -> bool:
    """Whether a GGUF file says that texts begin with the token for the beginning of a text."""
    from gguf import GGUFReader

    field = GGUFReader(file).get_field("tokenizer.ggml.add_bos_token")
    return field is None or bool(field.contents())


def plain(
    tokenizer: PreTrainedTokenizerFast, bos_first: bool, described: Mapping[str, Any] | None = None
) -> PreTrainedTokenizerFast:
    """A tokenizer that is what its tokenizer.json says, whatever class it was read with.

    Parameters
    ----------
    bos_first : whether the beginning of a text is put first when special tokens are asked for
    described : its tokenizer.json, if it is to be another
    """
    fast = Tokenizer.from_str(json.dumps(described) if described else tokenizer.backend_tokenizer.to_str())
    fast.no_truncation()
    fast.no_padding()
    if bos_first and tokenizer.bos_token:
        bos = tokenizer.bos_token
        fast.post_processor = TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, fast.token_to_id(bos))]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=fast,
        model_max_length=tokenizer.model_max_length,
        padding_side=tokenizer.padding_side,
        clean_up_tokenization_spaces=False,
        chat_template=tokenizer.chat_template,
        **{name: token for name in ENDS if (token := getattr(tokenizer, name)) and fast.token_to_id(token) is not None},
    )


def trim(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerFast, texts: Sequence[str], pieces: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Model and tokenizer with the pieces that `texts` need, and at least `pieces`.

    Rows of the embeddings and of the head are those of the pieces, in the order of their old ids.
    """
    fast = tokenizer.backend_tokenizer
    described = json.loads(fast.to_str())
    staying = kept(fast, described, [*spoken(texts), tokenizer.chat_template or ""], pieces)
    rows = torch.tensor([fast.token_to_id(piece) for piece in staying])
    new = {old: number for number, old in enumerate(rows.tolist())}
    for name in ("bos", "eos", "pad"):
        key = f"{name}_token_id"
        configs = (model.config.get_text_config(), model.config, model.generation_config)
        for config in {id(config): config for config in configs}.values():
            if getattr(config, key, None) is not None:
                setattr(config, key, renumbered(getattr(config, key), new))
    cut = [layer.weight.data[rows] for layer in embeddings(model)]
    model.resize_token_embeddings(len(rows), mean_resizing=False)
    for layer, weights in zip(embeddings(model), cut, strict=True):
        layer.weight.data.copy_(weights)
    return model, plain(tokenizer, False, trimmed(described, staying))


def embeddings(model: PreTrainedModel) -> list[Any]:
    """What has a row for each piece: the embeddings, and the head where it is not the same weights."""
    first, head = model.get_input_embeddings(), model.get_output_embeddings()
    return [first] if head.weight is first.weight else [first, head]


def renumbered(ids: int | list[int], new: Mapping[int, int]) -> int | list[int]:
    """Ids of tokens in a trimmed vocabulary."""
    return [new[one] for one in ids if one in new] if isinstance(ids, list) else new[ids]
