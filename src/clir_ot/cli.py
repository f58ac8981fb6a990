"""`clir-ot ...`: thin, one function for each verb. What a verb needs is imported when it runs."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from clir_ot.errors import UserError


def main() -> None:
    """Entry point; a problem the user can mend is one line on standard error and exit status 1."""
    try:
        arguments = sys.argv[1:]
        if arguments[:1] == ["fit"]:
            # jsonargparse reads these: every key of the configuration is an option.
            from clir_ot.fit import fit

            fit(arguments[1:])
        else:
            # A polite kill cleans up like Ctrl-C does; training has Lightning's own handler.
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            parsed = _parser().parse_args(arguments)
            parsed.verb(parsed)
    except UserError as error:
        sys.exit(f"clir-ot: {error}")
    except KeyboardInterrupt:
        sys.exit("clir-ot: interrupted; nothing half-written is left, run it again to go on")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def build(arguments: argparse.Namespace) -> None:
    """`collection build NAME [DIR]`."""
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


def search(arguments: argparse.Namespace) -> None:
    """`search`: one ranking, as a TREC run."""
    from clir_ot.collections import Collection
    from clir_ot.collections.trec import write_run
    from clir_ot.evaluation.systems import System, search_system
    from clir_ot.models.encoder import TokenEncoder
    from clir_ot.retrieval.token_index import encode

    collection = Collection(arguments.collection)
    queries = TokenEncoder.from_pretrained(arguments.encoder)
    documents = TokenEncoder.from_pretrained(arguments.document_encoder) if arguments.document_encoder else queries
    index = encode(documents, documents.tokenizer.documents, collection.documents())
    run, _ = search_system(System("clir-ot", queries, arguments.language), collection, arguments.split, index)
    write_run(run, arguments.output, tag="clir-ot")
    print(f"{len(run)} queries: {arguments.output}\nnext: clir-ot evaluate {arguments.output} --collection DIR")


def evaluate(arguments: argparse.Namespace) -> None:
    """`evaluate RUN...`: a table for TREC run files, or for the folders of training runs, which are searched first."""
    from clir_ot.collections import Collection
    from clir_ot.collections.trec import read_run
    from clir_ot.evaluation.systems import compare_all, measure
    from clir_ot.evaluation.table import render
    from clir_ot.tracking.evaluate_run_folder import evaluate_run_folder

    collection = Collection(arguments.collection)
    if missing := next((path for path in arguments.runs if not path.exists()), None):
        raise UserError(f"{missing}: no such run folder or TREC run file")
    folders = [path for path in arguments.runs if path.is_dir()]
    for folder in folders:
        print(evaluate_run_folder(folder, collection, arguments.split))
    files = [path for path in arguments.runs if path not in folders]
    if files:
        _, qrels = collection.judged(arguments.split, arguments.language)
        measured = [measure(path.name, arguments.language, read_run(path), qrels) for path in files]
        print(render(measured, compare_all([(other, measured[0]) for other in measured[1:]])))


def align(arguments: argparse.Namespace) -> None:
    """`align`: which English token moves to which foreign one, as a table and a picture."""
    from clir_ot.collections.languages import canonical_language, language_name
    from clir_ot.tracking.fonts import missing_message
    from clir_ot.tracking.plan_picture import alignment_figure, check_picture_name, save_picture
    from clir_ot.tracking.sentence_alignment import align as align_sentences
    from clir_ot.tracking.sentence_alignment import check_sentences, cut_note, load_encoder, render

    language = canonical_language(arguments.language)
    output = arguments.output or Path(f"align-{language}.png")
    sentences = arguments.english, arguments.foreign
    check_sentences(*sentences)
    check_picture_name(output)
    encoders = load_encoder(arguments.teacher), load_encoder(arguments.student)
    options = {"marginals": arguments.marginals, "epsilon": arguments.epsilon, "solver": arguments.solver}
    alignment = align_sentences(*encoders, *sentences, **options)
    print(render(alignment, ("English", language_name(language))))
    figure, missing = alignment_figure(alignment, language_name(language))
    save_picture(figure, output)
    notes = [cut_note(encoder.tokenizer, text) for encoder, text in zip(encoders, sentences, strict=True)]
    notes.append(missing_message(missing) if missing else None)
    print("\n".join(["", *(f"note: {note}" for note in notes if note), f"heat map: {output}"]))


def ablate(arguments: argparse.Namespace) -> None:
    """`ablate FILE`: train and measure variants of an experiment, with several seeds."""
    from clir_ot.ablation.languages import ablate_languages
    from clir_ot.ablation.plan import Ablation
    from clir_ot.ablation.students import ablate_students
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import canonical_language

    ablation = Ablation.read(arguments.file)
    if arguments.only:
        ablation = ablation.only(arguments.only.split(","))
    collection, run = Collection(arguments.collection), arguments.run
    options = {"jobs": arguments.jobs, "keep_encoders": arguments.keep_encoders}
    of_students = {"--teacher": arguments.teacher, "--language": arguments.language}
    for name, value in of_students.items():
        if (value is None) == (ablation.table == "student"):
            wanted = "needs" if value is None else "has no use for"
            raise UserError(f"{arguments.file}: its table is of kind {ablation.table}, which {wanted} {name}")
    if ablation.table == "languages":
        table = ablate_languages(ablation, collection, run, **options)
    else:
        language = canonical_language(arguments.language)
        table = ablate_students(ablation, arguments.teacher, collection, language, run, **options)
    print(f"{table}\n\ntable: {run / 'table.md'}")


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clir-ot", description="cross-lingual retrieval into low-resource languages")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    collection = verbs.add_parser("collection", help="build, check or count a collection folder")
    actions = collection.add_subparsers(required=True, metavar="ACTION")
    action = actions.add_parser("build", help="fetch a collection and write it as a folder")
    action.add_argument("name", choices=["starter"])
    action.add_argument("folder", type=Path, nargs="?", help="default: the cache folder")
    action.add_argument("--quiet", action="store_true", help="no table at the end")
    action.set_defaults(verb=build)
    action = actions.add_parser("check", help="name the first problem, with file and line")
    action.add_argument("folder", type=Path)
    action.add_argument("--languages", help="also check what training and testing in these (yo,sw) need")
    action.set_defaults(verb=check)
    action = actions.add_parser("stats", help="documents, queries, bitext pairs and pieces per word by language")
    action.add_argument("folder", type=Path)
    action.add_argument("--encoder", type=Path, help="folder whose tokenizer.json counts the pieces")
    action.set_defaults(verb=stats)

    verbs.add_parser("fit", help="train a system: clir-ot fit --config experiments/teacher.yaml --run DIR")

    action = verbs.add_parser("search", help="rank the English documents for the queries of a language")
    action.add_argument("--encoder", type=Path, required=True, help="folder of the query encoder")
    action.add_argument("--document-encoder", type=Path, help="folder of the document encoder; default: the same")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--language", required=True)
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--output", type=Path, required=True, help="TREC run file to write")
    action.set_defaults(verb=search)

    action = verbs.add_parser("evaluate", help="table, intervals and tests for run folders or TREC run files")
    action.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--language", default="en", help="of the queries of TREC run files")
    action.set_defaults(verb=evaluate)

    action = verbs.add_parser("align", help="which English token moves to which foreign one: a table and a heat map")
    action.add_argument("english", metavar="ENGLISH", help="a sentence, in quotes")
    action.add_argument("foreign", metavar="FOREIGN", help="its translation")
    action.add_argument("--teacher", type=Path, required=True, help="encoder folder, reads the English sentence")
    action.add_argument("--student", type=Path, required=True, help="encoder folder, reads the foreign sentence")
    action.add_argument("--language", required=True, help="of the foreign sentence")
    action.add_argument("--output", type=Path, help="picture (.png, .svg, .pdf); default: align-LANGUAGE.png")
    action.add_argument("--marginals", default="content", choices=["content", "uniform"], help="default: content")
    action.add_argument("--epsilon", type=float, help="weight of the entropy; default: the solver's")
    action.add_argument("--solver", default="sinkhorn", help="sinkhorn (default), geomloss, ipot or exact")
    action.set_defaults(verb=align)
    action = verbs.add_parser("ablate", help="train and measure the variants of an ablation file, several seeds each")
    action.add_argument("file", type=Path, help="such as experiments/ablation/alignment.yaml")
    action.add_argument("--teacher", help="folder of the teacher's encoder, of tables of students")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--language", help="of the students, likewise")
    action.add_argument("--run", type=Path, required=True, help="folder of the runs and the table")
    action.add_argument("--only", help="some variants: ot,mse")
    action.add_argument(
        "--jobs", type=int, default=1, help="runs at a time, which share the cores; 4 GiB of memory each"
    )
    action.add_argument("--keep-encoders", action="store_true", help="500 MB a run")
    action.set_defaults(verb=ablate)
    return parser


if __name__ == "__main__":
    main()
