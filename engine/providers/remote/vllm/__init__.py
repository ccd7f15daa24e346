"""``remote::vllm``: a server of vLLM."""
