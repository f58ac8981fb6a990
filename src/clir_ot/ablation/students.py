"""Students of one language and one teacher, compared."""

from pathlib import Path

from clir_ot.ablation.plan import ZERO_SHOT, Ablation
from clir_ot.ablation.variant import Variant, train_and_measure
from clir_ot.collections import Collection
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.collections.trec import read_run, write_run
from clir_ot.evaluation.seeds import Seeds
from clir_ot.evaluation.systems import Measured, System, compare_all, measure, search_system
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.retrieval.token_index import TokenIndex, encode

MEASURE = "MRR@10"


def ablate_students(
    ablation: Ablation,
    teacher: str,
    collection: Collection,
    language: str,
    folder: Path,
    *,
    jobs: int = 1,
    keep_encoders: bool = False,
) -> str:
    """Train what is not trained yet, measure it on dev and test, write and return the table.

    Args:
        ablation: what to train.
        teacher: folder of the teacher's encoder, in whose index all search.
        collection: with the language's bitext and judged queries.
        language: canonical code.
        folder: of the runs and the table.
        jobs, keep_encoders: see `train_and_measure`.

    Raises:
        UserError: a run fails, the folder holds runs of other settings, the collection lacks the language.
    """
    loaded = TokenEncoder.from_pretrained(teacher)
    index = encode(loaded, loaded.tokenizer.documents, collection.documents())
    keys = _measured_on(collection, language)
    results = {
        ZERO_SHOT: {
            key: Seeds([_measure(System(ZERO_SHOT, loaded, key[1]), collection, key[0], index, folder / ZERO_SHOT)])
            for key in keys
        }
    }
    del loaded

    def measure_student(run: Variant, student: TokenEncoder) -> None:
        for split, queries in keys:
            _measure(System(run.name, student, queries), collection, split, index, run.folder.rankings)

    runs = ablation.runs(folder, collection.folder, {"model.teacher": teacher, "data.languages": language})
    read = f"{collection.fingerprint()} {fingerprint(teacher)}"
    train_and_measure(runs.values(), read, measure_student, jobs=jobs, keep_encoders=keep_encoders)
    for name in ablation.variants:
        measured = [[_measured(run, collection, *key) for key in keys] for (n, _), run in runs.items() if n == name]
        results[name] = {key: Seeds([run[i] for run in measured]) for i, key in enumerate(keys)}
    table = _table(results, ablation.baselines, language)
    write_text(folder / "table.md", table + "\n")
    return table


def _measured_on(collection: Collection, language: str) -> list[tuple[str, str]]:
    """(split, query language): dev, by which variants are chosen, and test; English where it is judged."""
    wanted = [("dev", language), ("dev", ENGLISH), ("test", language), ("test", ENGLISH)]
    return [key for key in wanted if key == ("test", language) or collection.is_judged(*key)]


def _measure(system: System, collection: Collection, split: str, index: TokenIndex, folder: Path) -> Measured:
    ranking, qrels = search_system(system, collection, split, index)
    write_run(ranking, _ranking(folder, system.name, system.language, split), system.name)
    return measure(system.name, system.language, ranking, qrels)


def _measured(run: Variant, collection: Collection, split: str, language: str) -> Measured:
    """From its ranking."""
    _, qrels = collection.judged(split, language)
    return measure(run.name, language, read_run(_ranking(run.folder.rankings, run.name, language, split)), qrels)


def _ranking(folder: Path, name: str, language: str, split: str) -> Path:
    return folder / f"{name}.{language}.{split}.trec"


def _table(results: dict[str, dict[tuple[str, str], Seeds]], baselines: list[str], language: str) -> str:
    """Markdown: a row a variant, by its dev figure; differences from the baselines on test queries, Holm-adjusted."""
    test, english, dev = ("test", language), ("test", ENGLISH), ("dev", language)
    pooled = {name: seeds[test].pooled for name, seeds in results.items()}
    against = [name for name in baselines if name in pooled]
    pairs = [(name, other) for other in against for name in pooled if name != other]
    compared = dict(zip(pairs, compare_all([(pooled[a], pooled[b]) for a, b in pairs], MEASURE), strict=True))
    header = ["variant", "seeds", f"dev {MEASURE}", f"test {MEASURE} [95 % interval]", "range over seeds"]
    header += [f"English {MEASURE}", *(f"against {name}" for name in against)]
    order = sorted(results, key=lambda name: -results[name][dev].pooled.mean(MEASURE) if dev in results[name] else 0.0)
    rows = [header]
    for name in order:
        low, high = pooled[name].interval(MEASURE)
        least, most = results[name][test].span(MEASURE)
        differences = []
        for other in against:
            if comparison := compared.get((name, other)):
                differences.append(f"{comparison.paired.difference:+.3f}, {p_value(comparison.p_adjusted)}")
            else:
                differences.append("")
        rows.append(
            [
                name,
                str(len(results[name][test].runs)),
                f"{results[name][dev].pooled.mean(MEASURE):.3f}" if dev in results[name] else "",
                f"{pooled[name].mean(MEASURE):.3f} [{low:.3f}, {high:.3f}]",
                f"{least:.3f} to {most:.3f}",
                f"{results[name][english].pooled.mean(MEASURE):.3f}" if english in results[name] else "",
                *differences,
            ]
        )
    count = len(next(iter(pooled.values())).values[MEASURE])
    return (
        columns(rows)
        + f"\n\n{language_name(language)}, {count} test queries. Rows by dev figure; each query's value is its mean "
        "over the seeds. Intervals: bootstrap over queries; p: paired randomisation test, Holm-adjusted over the table."
    )
