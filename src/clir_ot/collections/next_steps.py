"""What a collection can be used for as it is: the commands that its user gives next, each of which works on it."""

import re
from pathlib import Path
from shlex import quote

from clir_ot.collections.collection import ENGLISH, Collection
from clir_ot.errors import UserError


def next_steps(collection: Collection, language: str | None = None) -> str:
    """The commands, one a line, lines behind the first one set in.

    The teacher, where it has training queries, and a student, where a language has bitext and test queries; else a
    search, of whichever split is judged; else what there is.

    Args:
        collection: whose texts and judgements are read.
        language: of the student; None for the one with the most test queries.

    Raises:
        UserError: a file is malformed.
    """
    return "\n      ".join(_steps(collection, language))


def _steps(collection: Collection, language: str | None) -> list[str]:
    folder = quote(str(collection.folder))
    if not _judged(collection, "train", ENGLISH):
        return _search(collection, folder) or [f"clir-ot collection stats {folder}"]
    split = next((split for split in ("test", "dev") if _judged(collection, split, ENGLISH)), None)
    taught, as_word = _taught(collection, language), re.fullmatch(r"[\w./+,@-]+", str(collection.folder))
    if split == "test" and as_word:
        steps = [f"make teacher COLLECTION={folder}"]
        return [*steps, f"make distill LANG={taught} COLLECTION={folder}"] if taught else steps
    # What make takes for several words, or evaluates on a split that is not there, is said in full.
    runs = Path("runs") / collection.folder.absolute().name
    steps = [_fit("teacher", folder, runs / "teacher")]
    steps += [_evaluate(runs / "teacher", folder, split)] if split else []
    if taught:
        student, options = runs / f"distill-{taught}", f" --data.languages {taught} --model.teacher "
        steps.append(_fit("distill", folder, student) + options + quote(str(runs / "teacher" / "encoder")))
        steps.append(_evaluate(student, folder, "test"))
    return steps


def _fit(experiment: str, folder: str, run: Path) -> str:
    return f"clir-ot fit --config experiments/{experiment}.yaml --data.collection {folder} --run {quote(str(run))}"


def _evaluate(run: Path, folder: str, split: str) -> str:
    return f"clir-ot evaluate {quote(str(run))} --collection {folder} --split {split}"


def _taught(collection: Collection, language: str | None) -> str | None:
    """The language of a student that can be trained and measured."""
    wanted = [code for code in collection.bitext_languages if code == language or language is None]
    counts = {code: _judged(collection, "test", code) for code in wanted if code != ENGLISH}
    return max((code for code in counts if counts[code]), key=lambda code: counts[code], default=None)


def _search(collection: Collection, folder: str) -> list[str]:
    pairs = [(code, documents) for code in collection.query_languages for documents in collection.document_languages]
    # Their own documents first: words find nothing across languages.
    pairs.sort(key=lambda pair: (pair[0] != pair[1], pair[0] != ENGLISH, pair[1] != ENGLISH))
    found = (
        (split, *pair) for split in ("test", "dev", "train") for pair in pairs if _judged(collection, split, *pair)
    )
    return next((_searched(folder, *searched) for searched in found), [])


def _searched(folder: str, split: str, code: str, documents: str) -> list[str]:
    options = f"--collection {folder} --language {code}"
    options += f" --documents {documents}" if documents != ENGLISH else ""
    options += f" --split {split}" if split != "test" else ""
    how, first = "--bm25", []
    if code != documents:
        how, first = "--encoder runs/starter/hybrid/encoder", ["make hybrid   # an encoder of several languages"]
    run = f"{code}.trec"
    return [*first, f"clir-ot search {how} {options} --output {run}", f"clir-ot evaluate {run} {options}"]


def _judged(collection: Collection, split: str, language: str, documents: str = ENGLISH) -> int:
    """Queries of a language that a split judges over some documents."""
    if documents not in collection.document_languages or not collection.is_judged(split, language):
        return 0
    collection.qrels(split, language)  # what is malformed is said; what is not judged is none
    try:
        return len(collection.judged(split, language, documents)[0])
    except UserError:
        return 0
