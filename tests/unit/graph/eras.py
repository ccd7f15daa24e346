"""One small Llama Stack run config of each era, as its releases could have been given it."""

from __future__ import annotations

OCTOBER_2024 = """
version: '2'
built_at: '2024-10-08T17:40:45'
image_name: local
conda_env: local
apis: [models, memory, memory_banks, inference, safety, agents, shields]
providers:
  inference:
  - {provider_id: meta-reference, provider_type: meta-reference, config: {model: Llama3.1-8B}}
  - {provider_id: tgi, provider_type: 'remote::tgi', config: {url: 'http://127.0.0.1:5009'}}
  safety:
  - {provider_id: meta-reference, provider_type: meta-reference, config: {}}
  memory:
  - {provider_id: meta-reference, provider_type: meta-reference, config: {}}
  agents:
  - provider_id: meta-reference
    provider_type: meta-reference
    config: {persistence_store: {type: sqlite, db_path: ~/.llama/kvstore.db}}
  telemetry:
  - {provider_id: meta-reference, provider_type: meta-reference, config: {}}
"""
DECEMBER_2024 = """
version: '2'
image_name: ollama
docker_image: null
conda_env: ollama
apis: [agents, datasetio, eval, inference, memory, safety, scoring, telemetry]
providers:
  inference:
  - provider_id: ollama
    provider_type: remote::ollama
    config: {url: '${env.OLLAMA_URL:http://localhost:11434}'}
  memory:
  - {provider_id: faiss, provider_type: 'inline::faiss', config: {}}
  safety:
  - {provider_id: llama-guard, provider_type: 'inline::llama-guard', config: {}}
  agents:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {}}
  telemetry:
  - provider_id: meta-reference
    provider_type: inline::meta-reference
    config:
      service_name: ${env.OTEL_SERVICE_NAME:llama-stack}
      sinks: ${env.TELEMETRY_SINKS:console,sqlite}
  eval:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {}}
  datasetio:
  - {provider_id: localfs, provider_type: 'inline::localfs', config: {}}
  scoring:
  - {provider_id: basic, provider_type: 'inline::basic', config: {}}
metadata_store: {namespace: null, type: sqlite, db_path: '${env.STORE:~/.llama}/registry.db'}
models:
- {metadata: {}, model_id: '${env.INFERENCE_MODEL}', provider_id: ollama, provider_model_id: null}
shields:
- {params: null, shield_id: '${env.SAFETY_MODEL}', provider_id: null, provider_shield_id: null}
memory_banks: []
datasets: []
scoring_fns: []
eval_tasks: []
"""
MARCH_2025 = """
version: '2'
image_name: together
apis: [agents, datasetio, eval, inference, safety, scoring, telemetry, tool_runtime, vector_io]
providers:
  inference:
  - provider_id: together
    provider_type: remote::together
    config: {api_key: '${env.TOGETHER_API_KEY:}'}
  vector_io:
  - {provider_id: faiss, provider_type: 'inline::faiss', config: {}}
  - provider_id: ${env.ENABLE_CHROMADB+chromadb}
    provider_type: remote::chromadb
    config: {url: '${env.CHROMADB_URL:}'}
  safety:
  - provider_id: llama-guard
    provider_type: inline::llama-guard
    config: {excluded_categories: []}
  agents:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {}}
  telemetry:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {sinks: console}}
  eval:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {}}
  datasetio:
  - {provider_id: huggingface, provider_type: 'remote::huggingface', config: {}}
  scoring:
  - {provider_id: llm-as-judge, provider_type: 'inline::llm-as-judge', config: {}}
  tool_runtime:
  - {provider_id: rag-runtime, provider_type: 'inline::rag-runtime', config: {}}
  - {provider_id: code-interpreter, provider_type: 'inline::code-interpreter', config: {}}
models:
- metadata: {embedding_dimension: 384}
  model_id: mini
  provider_id: together
  model_type: embedding
shields:
- {shield_id: guard}
vector_dbs: []
benchmarks: []
tool_groups:
- {toolgroup_id: 'builtin::rag', provider_id: rag-runtime}
server: {port: 8321, auth: null, tls_certfile: null}
logging: null
"""
SEPTEMBER_2025 = """
version: 2
image_name: starter
apis: [agents, batches, files, inference, safety, telemetry, tool_runtime, vector_io]
providers:
  inference:
  - provider_id: ${env.OLLAMA_URL:+ollama}
    provider_type: remote::ollama
    config: {url: '${env.OLLAMA_URL:=http://localhost:11434}'}
  - provider_id: openai
    provider_type: remote::openai
    config: {api_key: '${env.OPENAI_API_KEY:=}'}
  vector_io:
  - {provider_id: faiss, provider_type: 'inline::faiss', config: {}}
  files:
  - {provider_id: localfs, provider_type: 'inline::localfs', config: {}}
  safety:
  - {provider_id: code-scanner, provider_type: 'inline::code-scanner'}
  agents:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {}}
  telemetry:
  - {provider_id: meta-reference, provider_type: 'inline::meta-reference', config: {sinks: console}}
  tool_runtime:
  - {provider_id: rag-runtime, provider_type: 'inline::rag-runtime', config: {}}
  batches:
  - {provider_id: reference, provider_type: 'inline::reference', config: {}}
inference_store: {type: sqlite, db_path: ~/.llama/inference_store.db}
models: []
shields:
- shield_id: scanner
  provider_id: ${env.SCANNER:+code-scanner}
  provider_shield_id: ${env.SCANNER:=}
vector_dbs: []
datasets: []
scoring_fns: []
benchmarks: []
tool_groups: []
server: {port: 8321}
"""
ERAS = {
    "0.0.52": OCTOBER_2024,
    "0.0.63": DECEMBER_2024,
    "0.2.4": MARCH_2025,
    "0.2.20": SEPTEMBER_2025,
}
"""The configs by the release that they are read as."""
