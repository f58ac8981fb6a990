"""`clir-ot report`: from run folders to the page and the tables."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from clir_ot.collections import Collection
from clir_ot.collections.cache import STARTER, starter_folder
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.metrics import DEFAULT_MEASURES
from clir_ot.files import write_text
from clir_ot.report.bias import Bias, bias_of
from clir_ot.report.effectiveness import effectiveness_of
from clir_ot.report.page import html, markdown
from clir_ot.report.published import read_published
from clir_ot.report.published_figures import published_figures
from clir_ot.report.runs import TrainedRun, check_runs, find_runs, of_which, systems_of
from clir_ot.report.sections import sections
from clir_ot.report.study import Study, make_study
from clir_ot.runs.rankings import DISTILLED, TEACHER, Searcher, run_searchers

_TITLE = "Cross-lingual retrieval into low-resource languages: does training make it robust?"


def read_study(
    paths: Sequence[Path],
    collection: Collection,
    *,
    split: str = "test",
    low_resource: Sequence[str] | None = None,
    measures: Sequence[str] = DEFAULT_MEASURES,
    judging: Judging = USUAL,
) -> tuple[Study, list[Bias]]:
    """Find the runs, measure and compare them; rankings that are not there yet are searched and kept.

    Args:
        paths: run folders, or folders that they lie in.
        collection: whose queries of `split` are searched.
        low_resource: languages that the question is about; by default all foreign ones.
        measures: the first is compared.
        judging: which documents are relevant, and ties.

    Raises:
        UserError: runs that cannot be compared, are not there, or lack rankings.
    """
    runs = find_runs(paths)
    check_runs(runs)
    systems, repeated = systems_of(runs)
    teacher = _teacher(runs, collection)
    study = make_study(
        systems, teacher, collection, split=split, low_resource=low_resource, measures=measures, judging=judging
    )
    bias, missing = bias_of([*study.rows, *study.further], collection)
    trained = of_which([run for run in runs if run.kind != TEACHER], collection)
    study.notes.extend([*repeated, *missing, *([trained] if trained else [])])
    return study, bias


def write_report(
    paths: Sequence[Path],
    collection: Collection,
    output: Path,
    *,
    split: str = "test",
    low_resource: Sequence[str] | None = None,
    measures: Sequence[str] = DEFAULT_MEASURES,
    published: Sequence[Path] = (),
    judging: Judging = USUAL,
) -> list[Path]:
    """Write `report.html`, `report.md` and `figures.json` on a study; other arguments are those of `read_study`.

    Args:
        published: files of figures in print, which are shown beside these where there are such.

    Returns:
        The three files, in the folder `output`.

    Raises:
        UserError: see `read_study` and `read_published`.
    """
    in_print = [read_published(path) for path in published]
    study, bias = read_study(
        paths, collection, split=split, low_resource=low_resource, measures=measures, judging=judging
    )
    starter = collection.folder == starter_folder() / "collection"
    name = STARTER if starter else collection.folder.name
    command = ["clir-ot", "report", *map(str, paths), "--collection", name]
    command += ["--low-resource", ",".join(study.low_resource), "--measures", ",".join(study.measures)]
    command += [*judging.options(), *(["--published", *map(str, published)] if published else [])]
    trained = sum(len(row.runs.runs) for row in [*study.rows, *study.further] if row.runs)
    footer = [
        f"Collection {name}, fingerprint {collection.fingerprint()}; {trained} runs. Made with: {shlex.join(command)}"
    ]
    subtitle = f"{name}, {split} queries; systems compared by {study.measure}."
    parts = sections(study, bias, published_figures(in_print, study, bias, name))
    files = [output / "report.html", output / "report.md"]
    for path, render in zip(files, (html, markdown), strict=True):
        write_text(path, render(_TITLE, subtitle, parts, footer))
    files.append(output / "figures.json")
    write_text(files[-1], effectiveness_of(study, footer[0]).model_dump_json(indent=1) + "\n")
    return files


def _teacher(runs: Sequence[TrainedRun], collection: Collection) -> Searcher:
    """The students' teacher, or the one given; it must be the encoder that the students were distilled from."""
    students = [run for run in runs if run.kind == DISTILLED]
    if students:
        found = run_searchers(students[0].folder, collection)[1]
        assert found is not None, "a student has a teacher"
        return found
    teachers = [run for run in runs if run.kind == TEACHER]
    if len(teachers) != 1:
        raise UserError(f"the report has no student and {len(teachers)} teachers; give one teacher's run for zero-shot")
    own, _ = run_searchers(teachers[0].folder, collection)
    return own
