"""Networks: images or features -> logits (B, A, C) and features (B, A, D)."""
