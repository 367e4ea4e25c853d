"""Writes the tiny model as a directory in the format of Hugging Face, which vLLM and `transformers serve` load.

Usage: `python hf_directory.py MODEL.gguf DIRECTORY`, with gguf, numpy, safetensors and tokenizers, which both servers have.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, TokenType
from safetensors.numpy import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

# Names of tensors: llama.cpp's -> those of transformers' Llama; of a block, below `model.layers.N.`.
_TENSORS = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_BLOCK = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
# How `transformers serve` finds a tool call in what the model writes; vLLM gets it on its command line.
_RESPONSE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*<\|im_end\|>", "content": "text"},
    },
}


def main(source: Path, directory: Path) -> None:
    """Writes everything that a loader asks for."""
    reader = GGUFReader(source)
    known = {name: entry.contents() for name, entry in reader.fields.items() if not name.startswith("GGUF.")}
    directory.mkdir(parents=True, exist_ok=True)
    save_file(_weights(reader, known["llama.attention.head_count"]), directory / "model.safetensors", {"format": "pt"})
    _tokenizer(known).save(str(directory / "tokenizer.json"))
    (directory / "chat_template.jinja").write_text(known["tokenizer.chat_template"], encoding="utf-8")
    for name, members in (
        ("config.json", _config(known)),
        ("generation_config.json", {**_ends(known), "do_sample": False, "max_new_tokens": 64}),
        ("tokenizer_config.json", _tokenizer_config(known)),
    ):
        (directory / name).write_text(json.dumps(members, indent=2), encoding="utf-8")


def _weights(reader: GGUFReader, heads: int) -> dict[str, np.ndarray[Any, Any]]:
    weights = {}
    for tensor in reader.tensors:
        values = np.array(tensor.data, dtype=np.float32)
        if ".attn_q." in tensor.name or ".attn_k." in tensor.name:
            values = _halves(values, heads)
        weights[_name(tensor.name)] = np.ascontiguousarray(values)
    return weights


def _name(name: str) -> str:
    if name in _TENSORS:
        return _TENSORS[name]
    _, block, kind, rest = name.split(".")
    return f"model.layers.{block}.{_BLOCK[kind]}.{rest}"


def _halves(values: np.ndarray[Any, Any], heads: int) -> np.ndarray[Any, Any]:
    """Rows of rotary pairs, which llama.cpp keeps side by side, as two halves of each head."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _ends(known: Mapping[str, Any]) -> dict[str, int]:
    ids = {"bos": "bos", "eos": "eos", "pad": "padding"}
    return {f"{kind}_token_id": int(known[f"tokenizer.ggml.{name}_token_id"]) for kind, name in ids.items()}


def _config(known: Mapping[str, Any]) -> dict[str, Any]:
    heads = known["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_act": "silu",
        "hidden_size": known["llama.embedding_length"],
        "intermediate_size": known["llama.feed_forward_length"],
        "num_hidden_layers": known["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "head_dim": known["llama.rope.dimension_count"],
        "max_position_embeddings": known["llama.context_length"],
        "rms_norm_eps": known["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": known["llama.rope.freq_base"],
        "rope_parameters": {"rope_type": "default", "rope_theta": known["llama.rope.freq_base"]},
        "tie_word_embeddings": False,
        "vocab_size": known["llama.vocab_size"],
        **_ends(known),
    }


def _tokenizer(known: Mapping[str, Any]) -> Tokenizer:
    """Byte pairs; what only fills the vocabulary up is left out."""
    kinds = known["tokenizer.ggml.token_type"]
    tokens = {text: number for number, text in enumerate(known["tokenizer.ggml.tokens"])}
    used = {text: number for text, number in tokens.items() if kinds[number] != TokenType.UNUSED}
    merges = [tuple(pair.split(" ")) for pair in known["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE(vocab=used, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    special = [text for text, number in used.items() if kinds[number] == TokenType.CONTROL]
    tokenizer.add_special_tokens([AddedToken(text, special=True, normalized=False) for text in special])
    return tokenizer


def _tokenizer_config(known: Mapping[str, Any]) -> dict[str, Any]:
    tokens = known["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": known["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        "response_template": _RESPONSE,
        **{name.removesuffix("_id"): tokens[number] for name, number in _ends(known).items()},
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
