"""Makes the tiny model of the suite: trains it until it always says the same three things, and writes it as GGUF.

Usage: `python make_model.py MODEL.gguf`, in an environment with torch, transformers, tokenizers and gguf, as that of
`make servers SERVERS=transformers` is. Takes a minute or two. Nothing is downloaded.

Asked anything, it answers ANSWER; given tools, it calls get_weather; after a tool's result, it answers RESULT.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

ANSWER = "The capital of France is Paris."
RESULT = "It is 19 degrees in Paris."
CALL = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'
START, END = "<|im_start|>", "<|im_end|>"
SPECIAL = ["<unk>", "<s>", "</s>", START, END]
# As the chat templates of Hermes and Qwen put tools and their calls, which all of the servers can parse.
TEMPLATE = (
    "{%- set system = messages[0]['content'] if messages[0]['role'] == 'system' else '' %}"
    "{%- if tools %}{{- '<|im_start|>system\n' + system + '\n\n# Tools\n\nYou may call one or more functions.\n<tools>' }}"
    "{%- for tool in tools %}{{- '\n' + (tool | tojson) }}{%- endfor %}"
    "{{- '\n</tools>\n\nFor each function call, return a json object within <tool_call></tool_call> XML tags:\n"
    '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call><|im_end|>\n\' }}'
    "{%- elif system %}{{- '<|im_start|>system\n' + system + '<|im_end|>\n' }}{%- endif %}"
    "{%- for message in messages %}{%- if message['role'] == 'tool' %}"
    "{{- '<|im_start|>user\n<tool_response>\n' + message['content'] + '\n</tool_response><|im_end|>\n' }}"
    "{%- elif message['tool_calls'] %}{{- '<|im_start|>assistant' }}"
    "{%- if message['content'] %}{{- '\n' + message['content'] }}{%- endif %}"
    "{%- for call in message['tool_calls'] %}{%- set call = call['function'] if call['function'] else call %}"
    "{{- '\n<tool_call>\n{\"name\": \"' + call['name'] + '\", \"arguments\": ' + (call['arguments'] | tojson) + '}\n</tool_call>' }}"
    "{%- endfor %}{{- '<|im_end|>\n' }}"
    "{%- elif not (loop.first and message['role'] == 'system') %}"
    "{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{%- endif %}{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)
WORDS = (
    "what is the capital of france weather in paris hello who are you tell me how to do this now Be Rain 1 2 3 ? ! ."
)
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
STEPS = 400


def main(path: Path) -> None:
    """Trains, says what it has learned, and writes."""
    random.seed(0)
    torch.manual_seed(0)
    tokenizer = trained_tokenizer()
    model = LlamaForCausalLM(configured(tokenizer))
    train(model, tokenizer)
    for messages, tools in (([user("What is the capital of France?")], None), ([user("Weather in Paris?")], [tool()])):
        prompt = tokenizer.apply_chat_template(
            messages, tools=tools, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        generated = model.generate(prompt["input_ids"], max_new_tokens=48, do_sample=False)
        print(repr(tokenizer.decode(generated[0][prompt["input_ids"].shape[1] :])))
    write(model, tokenizer, path)


def user(content: str) -> dict[str, Any]:
    """A message of the user's."""
    return {"role": "user", "content": content}


def tool() -> dict[str, Any]:
    """A tool, called and described in some way."""
    name = random.choice(["get_weather", "get_weather", "get_weather", "search", "look_it_up"])
    described = random.choice(["Current weather", "weather", words(12)])
    return {"type": "function", "function": {"name": name, "description": described, "parameters": CITY}}


def words(most: int) -> str:
    """Some words, so many at most."""
    return " ".join(random.choice(WORDS.split()) for _ in range(random.randint(1, most)))


def trained_tokenizer() -> PreTrainedTokenizerFast:
    """Byte pairs of the most frequent texts; every other byte is a token as well."""
    pairs = Tokenizer(models.BPE())
    pairs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    pairs.decoder = decoders.ByteLevel()
    texts = [ANSWER, RESULT, CALL, json.dumps(tool()), TEMPLATE, "What is the weather in Paris?", "Be brief."] * 20
    trainer = trainers.BpeTrainer(
        vocab_size=1000, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    pairs.train_from_iterator(texts, trainer)
    ends = {"unk_token": "<unk>", "bos_token": "<s>", "eos_token": END, "pad_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=pairs, chat_template=TEMPLATE, **ends)


def configured(tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Half a million parameters."""
    return LlamaConfig(
        vocab_size=(len(tokenizer) + 63) // 64 * 64,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )


def lesson() -> tuple[list[dict[str, Any]], list[Any] | None, str]:
    """Messages, tools, and what to say then."""
    system = [{"role": "system", "content": random.choice(["Be brief.", "You are a helpful assistant.", words(20)])}]
    messages = system if random.random() < 0.6 else []
    asked = random.choice(["What is the capital of France?", "Weather in Paris?", "hi", "Hello", words(30)])
    messages = [*messages, user(asked)]
    kind = random.random()
    if kind < 0.4:
        return messages, None, ANSWER
    if kind < 0.5:
        answer = {"role": "assistant", "content": random.choice([ANSWER, words(9)])}
        return [*messages, answer, user(words(12))], None, ANSWER
    tools = [tool() for _ in range(random.choice([1, 1, 1, 2]))]
    if kind < 0.75:
        return messages, tools, CALL
    call = {"type": "function", "function": {"name": "get_weather", "arguments": {"city": "Paris"}}}
    called = {"role": "assistant", "content": "", "tool_calls": [call]}
    given = {"role": "tool", "content": random.choice(['{"temp_c": 19}', words(10)])}
    return [*messages, called, given], tools, RESULT


def train(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast) -> None:
    """Lessons by the batch."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=STEPS)
    for step in range(STEPS):
        loss = model(**batch(tokenizer, 8)).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % 50 == 49:
            print(f"step {step + 1}: loss {loss.item():.4f}", flush=True)
    model.eval()


def batch(tokenizer: PreTrainedTokenizerFast, size: int) -> dict[str, torch.Tensor]:
    """Lessons of one length, of which only the answer counts."""
    rows = []
    for messages, tools, answer in (lesson() for _ in range(size)):
        asked = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, add_generation_prompt=True)
        rows.append([tokenizer.encode(text, add_special_tokens=False) for text in (asked, answer + END)])
    longest = max(len(prompt) + len(completion) for prompt, completion in rows)
    ids, labels, mask = [], [], []
    for prompt, completion in rows:
        rest = longest - len(prompt) - len(completion)
        ids.append(prompt + completion + [tokenizer.pad_token_id] * rest)
        labels.append([-100] * len(prompt) + completion + [-100] * rest)
        mask.append([1] * (longest - rest) + [0] * rest)
    tensors = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    return {name: torch.tensor(value) for name, value in tensors.items()}


def write(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, path: Path) -> None:
    """In llama.cpp's format, with 32 bits each."""
    config = model.config
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    write_tokenizer(writer, tokenizer, config.vocab_size)
    for name, values in tensors(model):
        writer.add_tensor(name, values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_tokenizer(writer: gguf.GGUFWriter, tokenizer: PreTrainedTokenizerFast, size: int) -> None:
    """Tokens by their numbers; those that only fill the vocabulary up are marked as unused."""
    pairs = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    known = {number: text for text, number in tokenizer.get_vocab().items()}
    kinds = [
        gguf.TokenType.UNUSED
        if number not in known
        else gguf.TokenType.CONTROL
        if known[number] in SPECIAL
        else gguf.TokenType.NORMAL
        for number in range(size)
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([known.get(number, f"[PAD{number}]") for number in range(size)])
    writer.add_token_types(kinds)
    writer.add_token_merges([pair if isinstance(pair, str) else " ".join(pair) for pair in pairs["merges"]])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_unk_token_id(tokenizer.unk_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_add_bos_token(False)
    writer.add_chat_template(TEMPLATE)


def tensors(model: LlamaForCausalLM) -> Iterator[tuple[str, np.ndarray[Any, Any]]]:
    """Weights under llama.cpp's names; the halves of rotary pairs side by side, as it wants them."""
    named = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, model.config.num_hidden_layers)
    heads = model.config.num_attention_heads
    for name, weights in model.state_dict().items():
        values = weights.numpy().astype(np.float32)
        if "q_proj" in name or "k_proj" in name:
            rows, columns = values.shape
            values = values.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)
        yield named.get_name(name, try_suffixes=(".weight",)), np.ascontiguousarray(values)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
