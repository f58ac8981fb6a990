"""A trained encoder for others: its model card, its licence, and the Hugging Face hub.

Not here: reading an encoder folder (`models/encoder_folder.py`). Read `model_card.py` first.
"""
