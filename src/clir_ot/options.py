"""What can be said on the command line; `fit`, whose options are the keys of its configuration, is jsonargparse's."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from clir_ot import __version__
from clir_ot.commands.collection_options import add_collection
from clir_ot.commands.dashboard import add_dashboard
from clir_ot.commands.index import add_index
from clir_ot.commands.init import add_init
from clir_ot.commands.push import add_push
from clir_ot.commands.sweep import add_sweep


def make_parser(verbs: Mapping[str, Callable[[argparse.Namespace], None]]) -> argparse.ArgumentParser:
    """The parser of everything but `fit`; `verb` of what it parses is the function to call.

    Args:
        verbs: `{name: function}`.
    """
    parser = argparse.ArgumentParser(prog="clir-ot", description="cross-lingual retrieval into low-resource languages")
    parser.add_argument("--version", action="version", version=f"clir-ot {__version__}")
    commands = parser.add_subparsers(required=True, metavar="VERB")

    add_init(commands, verbs)
    add_collection(commands, verbs)
    commands.add_parser("fit", help="train a system: clir-ot fit --config teacher --run DIR")

    action = commands.add_parser("search", help="rank the documents for the queries of a language")
    action.add_argument("--encoder", type=Path, help="folder of the query encoder")
    action.add_argument("--document-encoder", type=Path, help="folder of the document encoder; default: the same")
    action.add_argument("--bm25", action="store_true", help="by words instead of an encoder")
    action.add_argument("--index", type=Path, help="folder of the encoded documents, made if it is not there")
    action.add_argument("--approximate", action="store_true", help="score only documents that seem good; needs --index")
    action.add_argument("--rerank", type=Path, metavar="RUN", help="TREC run: score its best documents and no others")
    action.add_argument("--depth", type=int, default=1000, help="documents a query; default: 1000")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--language", required=True)
    action.add_argument("--documents", default="en", help="language of the documents; default: en")
    action.add_argument("--translated", action="store_true", help="queries as `translate` has translated them")
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--output", type=Path, required=True, help="TREC run file to write")
    action.set_defaults(verb=verbs["search"])

    action = commands.add_parser(
        "translate", help="translate the queries of a language to English, into the collection"
    )
    action.add_argument("--model", required=True, help="NLLB, M2M100, mBART-50, Marian (opus-mt) or MADLAD-400 model")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--language", required=True)
    action.add_argument("--split", choices=["train", "dev", "test"], help="only the queries it judges; default: all")
    action.add_argument("--beams", type=int, default=4, help="of beam search; default: 4; 1: greedy")
    action.set_defaults(verb=verbs["translate"])

    measures = "MRR@10,nDCG@10,MAP,R@10,R@100"
    action = commands.add_parser("evaluate", help="table, intervals and tests for run folders or TREC run files")
    action.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    action.add_argument("--collection", type=Path, help="whose judgements count")
    action.add_argument("--qrels", type=Path, help="instead, for TREC run files: judgements in TREC's format")
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--measures", default=measures, help=f"as ir_measures writes them; default: {measures}")
    action.add_argument("--noise", help="also with queries typed so: diacritics,swaps@0.1")
    action.add_argument(
        "--language", help="of the queries; default: what the run was trained in, or NAME.<language>.trec says"
    )
    action.add_argument("--documents", help="language of the documents of TREC run files; default: en")
    action.add_argument(
        "--teacher", type=Path, help="of students whose teacher was moved: its encoder's folder, or its run's"
    )
    _add_judging(action)
    action.set_defaults(verb=verbs["evaluate"])

    action = commands.add_parser("report", help="one page: systems by languages, tests, gap, bias, curves, the answer")
    action.add_argument("runs", type=Path, nargs="+", metavar="RUNS", help="run folders, or folders they lie in")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--output", type=Path, required=True, help="folder of report.html, report.md and figures.json")
    action.add_argument("--split", default="test", choices=["train", "dev", "test"])
    action.add_argument("--measures", default=measures, help=f"the first is compared; default: {measures}")
    action.add_argument("--low-resource", help="languages that the question is about: yo,ha; default: all foreign ones")
    action.add_argument(
        "--published",
        nargs="+",
        default=[],
        metavar="FILE",
        help="figures of papers to show beside these: a file, or a name such as hybrid-xquad-r",
    )
    _add_judging(action)
    action.set_defaults(verb=verbs["report"])

    action = commands.add_parser("align", help="which English token moves to which foreign one: a table and a heat map")
    action.add_argument("english", metavar="ENGLISH", help="a sentence, in quotes")
    action.add_argument("foreign", metavar="FOREIGN", help="its translation")
    action.add_argument("--teacher", type=Path, required=True, help="encoder folder, reads the English sentence")
    action.add_argument("--student", type=Path, required=True, help="encoder folder, reads the foreign sentence")
    action.add_argument("--language", required=True, help="of the foreign sentence")
    action.add_argument("--output", type=Path, help="picture (.png, .svg, .pdf); default: align-LANGUAGE.png")
    action.add_argument("--marginals", default="content", choices=["content", "uniform"], help="default: content")
    action.add_argument("--epsilon", type=float, help="weight of the entropy; default: the solver's")
    action.add_argument("--solver", default="sinkhorn", help="sinkhorn (default), geomloss, ipot or exact")
    action.set_defaults(verb=verbs["align"])
    action = commands.add_parser(
        "ablate", help="train and measure the variants of an ablation file, several seeds each"
    )
    action.add_argument("file", help="a file, or a name such as alignment")
    action.add_argument("--teacher", help="folder of the teacher's encoder, of tables of students")
    action.add_argument("--collection", type=Path, required=True)
    action.add_argument("--language", help="of the students, likewise")
    action.add_argument("--run", type=Path, required=True, help="folder of the runs and the table")
    action.add_argument("--only", help="some variants: ot,mse")
    action.add_argument(
        "--jobs",
        type=int,
        default=1,
        help="runs at a time, which share the cores; of the starter, 4 GiB of memory each (hybrid: 9)",
    )
    action.add_argument("--devices", type=int, help="of each run; default: what the experiment says")
    action.add_argument("--keep-encoders", action="store_true", help="500 MB a run")
    action.set_defaults(verb=verbs["ablate"])

    add_index(commands, verbs)
    add_sweep(commands, verbs)
    add_dashboard(commands, verbs)
    add_push(commands, verbs)
    return parser


def _add_judging(action: argparse.ArgumentParser) -> None:
    """Options of `clir_ot.evaluation.judging.Judging`."""
    action.add_argument(
        "--relevance-level", type=int, default=1, metavar="GRADE",
        help="least grade of a relevant document, trec_eval's -l (TREC-DL: 2); default: 1",
    )  # fmt: skip
    action.add_argument(
        "--ignore-identical-ids", action="store_true", help="leave out documents with their query's id, as BEIR does"
    )
    action.add_argument("--trec-eval", type=int, default=9, choices=[9, 10], help="whose ties; default: 9")
