#!/bin/sh
# The quickstart: fetch the weights, show the plan, start the stack, make four calls, stop it;
# then say how to serve it.
set -eux

rungraph models pull

rungraph plan configs/quickstart.yaml

rungraph run configs/quickstart.yaml --verbose --state-dir "${RUNGRAPH_DEMO_DIR:-build/demo}" \
  --call inference.chat_completion model=smollm2 messages='[
    {"role": "system", "content": "You are a helpful assistant. Answer in one sentence."},
    {"role": "user", "content": "What is the capital of France?"}]' \
    sampling_params='{"strategy": "greedy", "max_tokens": 60}' \
  --call memory_banks.register_memory_bank memory_bank='{
    "identifier": "notes", "type": "vector", "embedding_model": "multilingual-e5-small", "chunk_size_in_tokens": 128}' \
  --call memory.insert_documents bank_id=notes documents='[
    {"document_id": "cats", "content": "Cats sleep for most of the day and hunt at dusk."},
    {"document_id": "bread", "content": "Knead the dough, let it rise for two hours, then bake it."},
    {"document_id": "rust", "content": "Iron rusts when it is exposed to water and oxygen."}]' \
  --call memory.query_documents bank_id=notes query='How do I make a loaf?' params='{"max_chunks": 1}'

set +x
bin=$(dirname "$(command -v rungraph)")
echo "
To serve this stack to a browser and to the SDKs of the OpenAI API:
  $bin/python -m pip install --editable '.[quickstart,server]'
  $bin/rungraph serve configs/quickstart.yaml" >&2
