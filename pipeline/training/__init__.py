"""Training and fine-tuning of both models; nothing that speaks imports it."""
