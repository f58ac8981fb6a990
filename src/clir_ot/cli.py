"""`clir-ot ...`: thin, one function for each verb. What a verb needs is imported when it runs."""

import argparse
import io
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from clir_ot.commands.collection import VERBS as COLLECTION_VERBS
from clir_ot.commands.dashboard import VERBS as DASHBOARD_VERBS
from clir_ot.commands.index import VERBS as INDEX_VERBS
from clir_ot.commands.init import VERBS as INIT_VERBS
from clir_ot.commands.push import VERBS as PUSH_VERBS
from clir_ot.commands.sweep import VERBS as SWEEP_VERBS
from clir_ot.errors import UserError
from clir_ot.files import require_place, user_path
from clir_ot.home import prepare_home
from clir_ot.options import make_parser

if TYPE_CHECKING:
    from clir_ot.evaluation.judging import Judging

_PATIENCE = 10  # seconds
_LONG = 1500  # characters of a problem, of which more are no help
_KILLS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)  # polite ones, the last two as Slurm's --signal may name them


def main() -> None:
    """Entry point; a problem the user can mend is one line on standard error and exit status 1."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that cannot show a script, or a file name that is no UTF-8, is no reason to end.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        arguments = sys.argv[1:]
        prepare_home()
        for number in _KILLS:
            # They clean up like Ctrl-C does; training replaces this by a handler that saves first. Lightning would save
            # within a step on Slurm's, and leaves a handler alone that is there.
            signal.signal(number, signal.default_int_handler)
        if arguments[:1] == ["fit"]:
            # jsonargparse reads these: every key of the configuration is an option.
            from clir_ot.fit import fit

            fit(arguments[1:])
        else:
            parsed = make_parser({verb.__name__: verb for verb in VERBS}).parse_args(arguments)
            for name, value in vars(parsed).items():
                setattr(parsed, name, _at_home(value))
            parsed.verb(parsed)
    except UserError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        _fail("interrupted; nothing half-written is left, run it again to go on")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        # What the system refuses, wherever it does: no permission, a folder for a file, a name that is too long.
        _fail(f"{os.fspath(error.filename)}: {error.strerror}" if error.filename else str(error))


def _at_home(value: Any) -> Any:
    """An option's value, with `~` of paths replaced."""
    if isinstance(value, list):
        return [_at_home(each) for each in value]
    return user_path(value) if isinstance(value, Path) else value


def _fail(problem: str) -> NoReturn:
    """Say it in a line, whatever a library or a file's name has in it."""
    _leave_it_to_the_first_process()
    line = " ".join(part.strip() for part in problem.splitlines())
    sys.exit(f"clir-ot: {line if len(line) <= _LONG else f'{line[: _LONG // 2]} [...] {line[-_LONG // 2 :]}'}")


def _leave_it_to_the_first_process() -> None:
    """Of several training processes with one problem, each node's first says it; the others end with that one.

    One that the launcher does not end has a problem of its own, and goes on to say it. Ending at once would be worse
    than saying it twice: the launcher kills all processes soon after one has failed, perhaps before it was said.
    """
    if os.environ.get("LOCAL_RANK", os.environ.get("SLURM_LOCALID", "0")) == "0":
        return
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    launcher, waited_until = os.getppid(), time.monotonic() + _PATIENCE
    while time.monotonic() < waited_until:
        if os.getppid() != launcher:
            sys.exit(1)
        time.sleep(0.1)


def search(arguments: argparse.Namespace) -> None:
    """`search`: one ranking, as a TREC run."""
    from clir_ot.collections import Collection
    from clir_ot.collections.trec import read_run, write_run
    from clir_ot.retrieval.search_options import check_search_options
    from clir_ot.retrieval.translated_queries import pick_translations

    check_search_options(arguments)
    require_place(arguments.output)
    collection = Collection(arguments.collection)
    queries, _ = collection.judged(arguments.split, arguments.language, arguments.documents)
    if arguments.translated:
        queries = pick_translations(collection, arguments.language, queries)
    if arguments.bm25:
        from clir_ot.retrieval.bm25 import bm25_search

        run = bm25_search(queries, collection.documents(arguments.documents), arguments.depth)
    else:
        from clir_ot.retrieval.ranker import rank

        first_stage = read_run(arguments.rerank) if arguments.rerank else None
        options = {
            "documents": arguments.documents,
            "index": arguments.index,
            "first_stage": first_stage,
            "approximate": arguments.approximate,
            "depth": arguments.depth,
        }
        run = rank(queries, collection, arguments.encoder, arguments.document_encoder, **options)
    write_run(run, arguments.output, tag="bm25" if arguments.bm25 else "clir-ot")
    for note in collection.notes(arguments.documents):
        print(f"note: {note}")
    asked = f"--collection {arguments.collection} --language {arguments.language} --split {arguments.split}"
    asked += f" --documents {arguments.documents}" if arguments.documents != "en" else ""
    print(f"{len(run)} queries: {arguments.output}\nnext: clir-ot evaluate {arguments.output} {asked}")


def translate(arguments: argparse.Namespace) -> None:
    """`translate`: the queries of a language, to English, by a machine."""
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import canonical_language
    from clir_ot.locks import hold
    from clir_ot.progress import counting
    from clir_ot.retrieval.translated_queries import translate_queries

    if arguments.beams < 1:
        raise UserError(f"translate: --beams is {arguments.beams}; it must be 1 or more")
    collection, language = Collection(arguments.collection), arguments.language
    options = {"beams": arguments.beams, "progress": counting("queries translated")}
    lock = collection.folder / f".queries.{canonical_language(language)}.lock"
    with hold(lock, f"{collection.folder}: queries in {language} are being translated"):
        path = translate_queries(collection, language, arguments.model, arguments.split, **options)
    print(
        f"{len(collection.translated_queries(language))} queries: {path}\nnext: clir-ot search --translated --bm25 "
        f"--collection {arguments.collection} --language {language} --split {arguments.split or 'test'} "
        "--output RUN.trec"
    )


def evaluate(arguments: argparse.Namespace) -> None:
    """`evaluate RUN...`: a table for TREC run files, or for the folders of training runs, which are searched first."""
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import parse_languages
    from clir_ot.collections.trec import read_qrels
    from clir_ot.evaluation.run_files import evaluate_against, evaluate_run_files

    if missing := next((path for path in arguments.runs if not path.exists()), None):
        raise UserError(f"{missing}: no such run folder or TREC run file")
    folders = [path for path in arguments.runs if path.is_dir()]
    files = [path for path in arguments.runs if path not in folders]
    of_files = {"--qrels": arguments.qrels, "--documents": arguments.documents}
    if folders and (given := [name for name, value in of_files.items() if value]):
        raise UserError(f"{folders[0]}: {given[0]} is for TREC run files; a run folder says itself what it is")
    if files and arguments.teacher:
        raise UserError(f"{files[0]}: --teacher is for the run folders of students")
    if files and arguments.noise:
        raise UserError(f"{files[0]}: --noise is for run folders, whose encoder is asked again")
    if (arguments.collection is None) == (arguments.qrels is None):
        raise UserError("evaluate needs --collection DIR, or --qrels FILE for TREC run files; one of them")
    measures, judging = arguments.measures.split(","), _judging(arguments)
    if arguments.qrels:
        print(evaluate_against(files, read_qrels(arguments.qrels), measures, judging))
        return
    collection, noises = Collection(arguments.collection), arguments.noise.split(",") if arguments.noise else []
    languages = parse_languages(arguments.language) if arguments.language else None
    if folders:
        from clir_ot.evaluate import evaluate_run_folder
    for folder in folders:
        print(
            evaluate_run_folder(
                folder, collection, arguments.split, noises, measures, languages, arguments.teacher, judging
            )
        )
    if files:
        if languages and len(languages) > 1:
            raise UserError(f"{files[0]}: --language is of all TREC run files; give one language")
        language, documents = languages[0] if languages else None, arguments.documents or "en"
        print(
            evaluate_run_files(
                files, collection, arguments.split, measures, language=language, documents=documents, judging=judging
            )
        )


def report(arguments: argparse.Namespace) -> None:
    """`report RUNS...`: a page, and the tables as Markdown."""
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import parse_languages
    from clir_ot.kit.named import Shelf, find
    from clir_ot.report.report import write_report

    published = [find(name, Shelf.PUBLISHED) for name in arguments.published]
    low_resource = parse_languages(arguments.low_resource) if arguments.low_resource else None
    require_place(arguments.output, folder=True)
    page, tables, figures = write_report(
        arguments.runs, Collection(arguments.collection), arguments.output, split=arguments.split,
        low_resource=low_resource, measures=arguments.measures.split(","), published=published,
        judging=_judging(arguments),
    )  # fmt: skip
    print(f"report: {page}\ntables: {tables}\nfigures: {figures}\nnext: open {page} in a browser")


def _judging(arguments: argparse.Namespace) -> "Judging":
    from clir_ot.evaluation.judging import Judging

    return Judging(arguments.relevance_level, arguments.ignore_identical_ids, arguments.trec_eval)


def align(arguments: argparse.Namespace) -> None:
    """`align`: which English token moves to which foreign one, as a table and a picture."""
    from clir_ot.collections.languages import canonical_language, language_name
    from clir_ot.pictures.canvas import check_picture_name, save_picture
    from clir_ot.pictures.fonts import missing_message
    from clir_ot.pictures.plan_picture import alignment_figure
    from clir_ot.pictures.sentence_alignment import align as align_sentences
    from clir_ot.pictures.sentence_alignment import check_sentences, cut_note, load_encoder, render

    language = canonical_language(arguments.language)
    output = arguments.output or Path(f"align-{language}.png")
    sentences = arguments.english, arguments.foreign
    check_sentences(*sentences)
    check_picture_name(output)
    require_place(output)
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
    from clir_ot.ablation.students import ablate_students, check_teacher
    from clir_ot.collections import Collection
    from clir_ot.collections.languages import canonical_language
    from clir_ot.kit.named import Shelf, find
    from clir_ot.locks import hold

    ablation = Ablation.read(find(arguments.file, Shelf.ABLATION))
    if arguments.only:
        ablation = ablation.only(arguments.only.split(","))
    collection, run = Collection(arguments.collection), arguments.run
    options = {"jobs": arguments.jobs, "devices": arguments.devices, "keep_encoders": arguments.keep_encoders}
    of_students = {"--teacher": arguments.teacher, "--language": arguments.language}
    for name, value in of_students.items():
        if (value is None) == (ablation.table == "student"):
            wanted = "needs" if value is None else "has no use for"
            raise UserError(f"{arguments.file}: its table is of kind {ablation.table}, which {wanted} {name}")
    if ablation.table == "student":
        check_teacher(arguments.teacher)
    with hold(run / ".lock", f"{run}: is being filled", "wait until it ends, or give another --run folder"):
        if ablation.table == "languages":
            table = ablate_languages(ablation, collection, run, **options)
        else:
            language = canonical_language(arguments.language)
            table = ablate_students(ablation, arguments.teacher, collection, language, run, **options)
    print(f"{table}\n\ntable: {run / 'table.md'}")


VERBS = (
    ablate,
    align,
    evaluate,
    report,
    search,
    translate,
    *COLLECTION_VERBS,
    *DASHBOARD_VERBS,
    *INDEX_VERBS,
    *INIT_VERBS,
    *PUSH_VERBS,
    *SWEEP_VERBS,
)


if __name__ == "__main__":
    main()
