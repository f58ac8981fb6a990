"""Students of one language and one teacher, compared."""

from pathlib import Path

from clir_ot.ablation.plan import ZERO_SHOT, Ablation, pairs_against
from clir_ot.ablation.variant import Variant, train_and_measure
from clir_ot.collections import Collection
from clir_ot.collections.cache import locate
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name
from clir_ot.evaluation.query_noise import DEFAULT_NOISES
from clir_ot.evaluation.systems import Measured, compare_all, together
from clir_ot.evaluation.table import columns, p_value
from clir_ot.files import write_text
from clir_ot.models.encoder import TokenEncoder
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.runs.rankings import Queries, run_searchers

MEASURE = "MRR@10"


def check_teacher(teacher: str) -> None:
    """Load the teacher once: what is wrong with it is said before anything is made, and not by every run.

    Raises:
        UserError: see `TokenEncoder.from_pretrained`.
    """
    TokenEncoder.from_pretrained(locate(teacher, "encoder"))


def ablate_students(
    ablation: Ablation,
    teacher: str,
    collection: Collection,
    language: str,
    folder: Path,
    *,
    jobs: int = 1,
    devices: int | None = None,
    keep_encoders: bool = False,
) -> str:
    """Train what is not trained yet, measure it on dev and test, write and return the table.

    Args:
        ablation: what to train.
        teacher: folder of the teacher's encoder, in whose index all search.
        collection: with the language's bitext and judged queries.
        language: canonical code.
        folder: of the runs and the table.
        jobs, devices, keep_encoders: see `train_and_measure`.

    Raises:
        UserError: a run fails, the folder holds runs of other settings, the collection lacks the language.
    """
    keys = _measured_on(collection, language)
    runs = ablation.runs(folder, collection.folder, {"model.teacher": teacher, "data.languages": language})

    def search_all(run: Variant) -> None:
        student, _ = run_searchers(run.folder, collection, teacher)
        for queries in [*keys, *(Queries(language, "test", noise) for noise in DEFAULT_NOISES)]:
            student.ranking(queries)

    read = f"{collection.fingerprint()} {fingerprint(teacher)}"
    train_and_measure(runs.values(), read, search_all, jobs=jobs, devices=devices, keep_encoders=keep_encoders)
    searchers = {key: run_searchers(run.folder, collection, teacher) for key, run in runs.items()}
    students = {
        name: [own for (variant, _), (own, _) in searchers.items() if variant == name] for name in ablation.variants
    }
    _, of_teacher = next(iter(searchers.values()))
    assert of_teacher is not None, "ablation.runs gave each run the teacher"
    results = {
        name: {queries: together([searcher.measured(queries) for searcher in found]) for queries in keys}
        for name, found in {ZERO_SHOT: [of_teacher], **students}.items()
    }
    table = _table(results, ablation.baselines, language)
    write_text(folder / "table.md", table + "\n")
    return table


def _measured_on(collection: Collection, language: str) -> list[Queries]:
    """Dev, by which variants are chosen, and test; English where it is judged."""
    wanted = [Queries(name, split) for split in ("dev", "test") for name in (language, ENGLISH)]
    required = Queries(language, "test")
    return [
        queries for queries in wanted if queries == required or collection.is_judged(queries.split, queries.language)
    ]


def _table(results: dict[str, dict[Queries, Measured]], baselines: list[str], language: str) -> str:
    """Markdown: a row a variant, by its dev figure; differences from the baselines on test queries, Holm-adjusted."""
    test, english, dev = Queries(language, "test"), Queries(ENGLISH, "test"), Queries(language, "dev")
    tested = {name: found[test] for name, found in results.items()}
    against = [name for name in baselines if name in tested]
    pairs = pairs_against(tested, against)
    compared = dict(zip(pairs, compare_all([([tested[a]], [tested[b]]) for a, b in pairs], MEASURE), strict=True))
    counts = {queries: measured.count for queries, measured in next(iter(results.values())).items()}
    over = {queries: f" (n = {counts[queries]})" if queries in counts else "" for queries in (dev, test, english)}
    header = ["variant", "seeds", f"dev {MEASURE}{over[dev]}", f"test {MEASURE} [95 % interval]{over[test]}"]
    header += ["range over seeds", f"English {MEASURE}{over[english]}", *(f"against {name}" for name in against)]
    order = sorted(results, key=lambda name: -results[name][dev].mean(MEASURE) if dev in results[name] else 0.0)
    rows = [header]
    for name in order:
        low, high = tested[name].interval(MEASURE)
        least, most = tested[name].span(MEASURE)
        differences = []
        for other in against:
            if comparison := compared.get((name, other)):
                differences.append(f"{comparison.difference.value:+.3f}, {p_value(comparison.p_adjusted)}")
            else:
                differences.append("")
        rows.append(
            [
                name,
                str(len(tested[name].runs)),
                f"{results[name][dev].mean(MEASURE):.3f}" if dev in results[name] else "",
                f"{tested[name].mean(MEASURE):.3f} [{low:.3f}, {high:.3f}]",
                f"{least:.3f} to {most:.3f}",
                f"{results[name][english].mean(MEASURE):.3f}" if english in results[name] else "",
                *differences,
            ]
        )
    return (
        columns(rows)
        + f"\n\n{language_name(language)}, {counts[test]} test queries. Rows by dev figure. Intervals and p: over "
        "queries and seeds, both of which are drawn; p: t-test, Holm-adjusted over the table, each two variants "
        "compared once."
    )
