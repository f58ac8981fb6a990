"""Retrieval: encode, search and rank documents, and keep the ranking as a TREC run."""
