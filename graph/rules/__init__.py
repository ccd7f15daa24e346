"""The rules of run configs: one function a rule, its code, its prose."""
