"""``remote::tgi``: a server of Text Generation Inference."""
