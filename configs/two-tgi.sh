#!/bin/sh
# Two TGI servers that run here, each with a model, and a stack that sends each call to the right one.
set -eu

rungraph models pull

folder=$(mktemp -d)
trap 'exec 3>&- 4>&-; wait; rm -rf "$folder"' EXIT

# A server ends when its standard input does, so none is left behind; its first line is its URL.
start() {
  mkfifo "$folder/$1.in"
  PYTHONPATH=examples python -m counterparts tgi "$2" <"$folder/$1.in" >"$folder/$1.out" 2>"$folder/$1.log" &
}
url_of() {
  until [ -s "$folder/$1.out" ]; do
    kill -0 "$2" || { cat "$folder/$1.log" >&2; exit 1; }
    sleep 0.1
  done
  sed -E 's/.*"url": "([^"]+)".*/\1/' "$folder/$1.out"
}
start foo org/foo-model
foo=$!
exec 3>"$folder/foo.in"
start bar org/bar-model
bar=$!
exec 4>"$folder/bar.in"
FOO_URL=$(url_of foo $foo)
BAR_URL=$(url_of bar $bar)
export FOO_URL BAR_URL

set -x

rungraph plan configs/two-tgi.yaml

rungraph run configs/two-tgi.yaml --state-dir "$folder/state" \
  --call models.list_models \
  --call inference.chat_completion model=org/foo-model messages='[
    {"role": "system", "content": "You are a helpful assistant. Answer in one sentence."},
    {"role": "user", "content": "What is the capital of France?"}]' \
    sampling_params='{"strategy": "greedy", "max_tokens": 20}' \
  --call inference.completion model=small content='The capital of France is' \
    sampling_params='{"strategy": "greedy", "max_tokens": 8}'
