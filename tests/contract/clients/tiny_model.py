"""Makes a chat model of some 160,000 random parameters, for vLLM; its argument is the folder."""

import sys

from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

folder = sys.argv[1]
TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
vocabulary = {one: number for number, one in enumerate(["<s>", "</s>", *alphabet])}
tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
special = {"bos_token": "<s>", "eos_token": "</s>"}
PreTrainedTokenizerFast(
    tokenizer_object=tokenizer, chat_template=TEMPLATE, **special
).save_pretrained(folder)
set_seed(1)
config = LlamaConfig(
    vocab_size=len(vocabulary),
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=0,
    eos_token_id=1,
)
LlamaForCausalLM(config).save_pretrained(folder)
