"""``inline::llama-cpp``: a GGUF model, run by llama.cpp in the provider's own process."""
