"""Which options of `clir-ot search` go together: one that would do nothing is refused."""

import argparse

from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import canonical_language
from clir_ot.errors import UserError


def check_search_options(options: argparse.Namespace) -> None:
    """Refuse what does not go together.

    Args:
        options: `encoder`, `document_encoder`, `bm25`, `index`, `rerank`, `approximate`, `depth`,
            `language`, `translated`.

    Raises:
        UserError: names the option.
    """
    if bool(options.encoder) == options.bm25:
        raise UserError("search: give either --encoder DIR or --bm25")
    of_encoders = {
        "--document-encoder": options.document_encoder,
        "--index": options.index,
        "--rerank": options.rerank,
        "--approximate": options.approximate,
    }
    if options.bm25 and (given := [name for name, value in of_encoders.items() if value]):
        raise UserError(f"search: --bm25 reads words and has no use for {' and '.join(given)}; leave that out")
    if options.approximate and options.rerank:
        raise UserError("search: --rerank scores the documents of a run; leave --approximate out")
    if options.approximate and not options.index:
        raise UserError("search: --approximate reads lists of tokens from the index; say where it is with --index DIR")
    if options.translated and canonical_language(options.language) == ENGLISH:
        raise UserError("search: English queries have no translation; leave --translated out")
    if options.depth < 1:
        raise UserError(f"search: --depth is {options.depth}; it must be 1 or more")
