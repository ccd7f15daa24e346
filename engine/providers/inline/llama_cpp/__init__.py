"""``inline::llama-cpp``: a GGUF model, run by llama.cpp in a worker process of its own."""
