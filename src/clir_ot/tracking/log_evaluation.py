"""What `clir-ot evaluate` measured, into the Weights & Biases run that training began."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clir_ot.collections.collection import ENGLISH
from clir_ot.evaluation.gap import gap_closed
from clir_ot.evaluation.judging import USUAL, Judging
from clir_ot.evaluation.languages_table import languages_as_json
from clir_ot.evaluation.multilingual import Multilingual
from clir_ot.evaluation.systems import Comparison, Measured
from clir_ot.pictures.canvas import pixels
from clir_ot.pictures.language_heatmap import heat_map
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.system_names import ENGLISH_REFERENCE, ZERO_SHOT
from clir_ot.tracking.artifacts import log_rankings
from clir_ot.tracking.run_logger import reopen
from clir_ot.tracking.weights_and_biases import finish


@dataclass(frozen=True)
class Evaluation:
    """Of one run.

    Attributes:
        own: name of its system among the results.
        split: of the queries.
        results: of the system and what it is set beside; with noise, the name is `system, noise`.
        comparisons: between them.
        languages: the system over documents of several languages, of a hybrid.
        judging: of the results.
    """

    own: str
    split: str
    results: Sequence[Measured]
    comparisons: Sequence[Comparison]
    languages: Multilingual | None = None
    judging: Judging = USUAL

    @property
    def place(self) -> str:
        """What keys begin with: `test`, of another judging than usual `relevance-level 2/test`."""
        asked = " ".join(self.judging.options()).replace("--", "")
        return "/".join(filter(None, (asked, self.split)))

    def summary(self) -> dict[str, float]:
        """`test/yo/MRR@10` of the run itself, `test/yo/zero-shot/MRR@10` of others, `test/yo/gap_closed`.

        With noise `test/yo/diacritics/MRR@10`; over documents of several languages `languages/pool MAP`.
        """
        found: dict[str, float] = {}
        for result in self.results:
            name = result.name.removeprefix(self.own).removeprefix(", ")
            place = "/".join(filter(None, (self.place, result.language, name.replace(", ", "/"))))
            found |= {f"{place}/{measure}": result.mean(measure) for measure in result.values}
        named = {(result.name, result.language): result for result in self.results}
        top = named.get((ENGLISH_REFERENCE, ENGLISH))
        for (name, language), result in named.items():
            zero_shot = named.get((ZERO_SHOT, language))
            if name != self.own or zero_shot is None or top is None:
                continue
            measure = next(iter(result.values))
            gap = gap_closed(*(side.sample(measure) for side in (zero_shot, result, top)))
            if gap:
                found[f"{self.place}/{language}/gap_closed"] = gap.value
        if self.languages:
            found |= {f"languages/{setting}": value for setting, value in self.languages.macro_means().items()}
        return found

    def table(self) -> tuple[list[str], list[list[Any]]]:
        """Header and rows: every system in every language, with the 95 % interval of the first measure."""
        measures = list(self.results[0].values)
        header = ["system", "language", "queries", *measures, f"{measures[0]} low", f"{measures[0]} high"]
        rows: list[list[Any]] = [
            [r.name, r.language, r.count, *map(r.mean, measures), *r.interval(measures[0])] for r in self.results
        ]
        return header, rows

    def tests(self) -> tuple[list[str], list[list[Any]]]:
        """Header and rows: the paired comparisons."""
        header = ["system", "baseline", "language", "queries", "measure", "difference", "low", "high", "p (Holm)"]
        header.append("verdict")
        rows: list[list[Any]] = [
            [c.system, c.baseline, ",".join(c.languages), c.count, c.measure, c.difference.value,
             *c.difference.interval(), c.p_adjusted, c.verdict()]
            for c in self.comparisons
        ]  # fmt: skip
        return header, rows


def log_evaluation(run: RunFolder, rankings: Path, evaluation: Evaluation) -> None:
    """Summary, tables, bias heat maps and the TREC runs; nothing where training logged no run, or this already.

    Args:
        run: evaluated.
        rankings: folder of its TREC runs; not the run's own for another collection, whose name then leads all keys.
        evaluation: what was measured.
    """
    kept = run.read_facts().get("wandb")
    before = "" if rankings == run.rankings else f"{rankings.name}/"
    summary = {before + key: value for key, value in evaluation.summary().items()}
    mark = hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()[:16]
    if kept is None or mark in kept.get("evaluated", []):
        return
    logger = reopen(run)
    assert logger is not None, "the run's facts name it"
    try:
        for key, (header, rows) in (("systems", evaluation.table()), ("comparisons", evaluation.tests())):
            if rows:
                logger.log_table(f"{before}{evaluation.place}/{key}", columns=header, data=rows)
        if evaluation.languages:
            said = languages_as_json(evaluation.languages)
            for key, what in (("MAP", "MAP"), ("first", "share ranked first")):
                if said[key]:
                    logger.log_image(f"{before}bias/{key}", [pixels(heat_map(said[key], what))])
        with logger.unharmed():
            logger.experiment.summary.update(summary)
        log_rankings(logger, rankings)
        logged = not logger.experiment.disabled
        identity = logger.identity()
    finally:
        finish()
    if logged:
        run.add_facts(
            wandb={**kept, "url": identity["url"] or kept.get("url"), "evaluated": [*kept.get("evaluated", []), mark]}
        )
