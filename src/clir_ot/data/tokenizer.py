"""Text to tokens, as query or as document."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clir_ot.data.batches import Tokens
from clir_ot.errors import UserError


@dataclass(frozen=True)
class TextTokenizer:
    """A Hugging Face tokenizer with what an encoder wants before each kind of text, and how much of it.

    Attributes:
        tokenizer: `AutoTokenizer.from_pretrained(...)`, a fast one (for the offsets of tokens).
        query_prefix, document_prefix: put before every text, e.g. `query: ` for E5; made of the pretrained
            vocabulary, no token is added.
        query_length, document_length: longest sequence in tokens, special and prefix tokens included; longer
            texts are cut at the end.
    """

    tokenizer: Any = field(repr=False)
    query_prefix: str = ""
    document_prefix: str = ""
    query_length: int = 64
    document_length: int = 256

    def queries(self, texts: Sequence[str]) -> Tokens:
        """Tokens of queries, (B, N <= query_length).

        Raises:
            UserError: nothing is left of a text, not even a special token.
        """
        return self._tokens(self.query_prefix, texts, self.query_length)

    def documents(self, texts: Sequence[str]) -> Tokens:
        """Tokens of documents, (B, N <= document_length); errors as of `queries`."""
        return self._tokens(self.document_prefix, texts, self.document_length)

    def pieces(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of the texts alone: no prefix, no special token, nothing cut."""
        ids: list[list[int]] = self.tokenizer(list(texts), add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def knows(self, texts: Sequence[str]) -> list[bool]:
        """Whether a token is left of each text; some tokenizers leave out marks, or symbols."""
        found: list[bool] = self.queries(texts).content.any(dim=1).tolist()
        return found

    def check_lengths(self) -> None:
        """See that something of a text is read.

        Raises:
            UserError: a length has no room for a text beside special tokens and prefix.
        """
        for kind in ("query", "document"):
            length, prefix = getattr(self, f"{kind}_length"), getattr(self, f"{kind}_prefix")
            taken = len(self.tokenizer(prefix)["input_ids"])
            if length <= taken:
                raise UserError(
                    f"model.{kind}_length is {length}; special tokens and prefix alone are {taken} tokens, so that "
                    "nothing of a text would be read"
                )

    def _tokens(self, prefix: str, texts: Sequence[str], length: int) -> Tokens:
        encoded = self.tokenizer(
            [prefix + text for text in texts],
            max_length=length,
            truncation=True,
            padding=True,
            padding_side="right",
            return_offsets_mapping=True,
            return_tensors="pt",
        )
        # A token that ends behind the prefix belongs to the text, the space between them too, which SentencePiece may
        # keep as a piece of its own; special tokens and padding end at 0.
        content = encoded["offset_mapping"][..., 1] > len(prefix.rstrip())
        lengths = encoded["attention_mask"].sum(dim=1).tolist()
        if 0 in lengths:  # only where there are no special tokens either
            raise UserError(f"{texts[lengths.index(0)]!r}: the tokenizer leaves nothing of this text; take it out")
        return Tokens(encoded["input_ids"], encoded["attention_mask"], content, lengths)
