"""The card of a trained encoder: what it is, what it was trained on, what it is worth, how it is loaded."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from clir_ot.collections.cache import STARTER, locate
from clir_ot.collections.collection import ENGLISH
from clir_ot.collections.languages import language_name, parse_languages
from clir_ot.errors import UserError
from clir_ot.evaluation.judging import Judging
from clir_ot.evaluation.table import columns, p_value
from clir_ot.models.encoder_folder import CARD, FolderSettings, read_settings, write_card
from clir_ot.publishing.licences import hub_licence, stated_licence
from clir_ot.runs.deciding import deciding
from clir_ot.runs.folder import RunFolder, run_of
from clir_ot.runs.rankings import DISTILLED, HYBRID, TEACHER, kind_of
from clir_ot.runs.teacher import find_teacher
from clir_ot.systems.alignment import method_title

_STARTER_ENCODER = "intfloat/multilingual-e5-small"  # of which the starter's is a copy, rounded to 4 bits
_TAGS = ["clir-ot", "cross-lingual", "information-retrieval", "sentence-transformers"]
_WHAT = {
    TEACHER: "A ranker of English documents for English queries.",
    DISTILLED: "A query encoder for {languages}, taught from translated sentences by an encoder of English.",
    HYBRID: "One encoder for queries and documents in {languages}, trained on monolingual and cross-lingual batches.",
}


def model_card(run: RunFolder, folder: Path, measured: Mapping[str, Any] | None = None) -> str:
    """The text of an encoder's README.md, Hugging Face's metadata before it.

    Args:
        run: that trained the encoder.
        folder: of the encoder, as `TokenEncoder.save_pretrained` writes it.
        measured: what `clir-ot evaluate` found on the run's own collection, as `metrics.json` has it.
    """
    config, facts, settings = run.read_config(), run.read_facts(), read_settings(folder)
    assert settings is not None, "a trained encoder has a projection"
    kind = kind_of(config)
    languages = list(dict.fromkeys([ENGLISH, *parse_languages(config["data"]["languages"])]))
    names = [language_name(language) for language in languages]
    base = _base(run, config)
    collection, about_collection = _named(config["data"]["collection"], "collection")
    licences = [base.licence, stated_licence(about_collection)]
    data = ModelCardData(
        language=list(dict.fromkeys(language.split("-")[0] for language in languages)),
        license=hub_licence(licences),
        license_name="see-this-card" if hub_licence(licences) == "other" else None,
        license_link=CARD if hub_licence(licences) == "other" else None,
        library_name="sentence-transformers",
        pipeline_tag="feature-extraction",
        tags=_TAGS + (["multi-vector", "ColBERT", "PyLate"] if settings.scoring == "late" else ["dense"]),
        base_model=base.hub_name,
        model_name=run.path.resolve().name if measured else None,
        eval_results=_results(measured, kind, collection) if measured else None,
    )
    card = ModelCard.from_template(
        data,
        template_str=files("clir_ot.publishing").joinpath("model_card.md.j2").read_text(encoding="utf-8"),
        title=f"{run.path.resolve().name}: {_title(kind, names)}",
        what=_WHAT[kind].format(languages=_listed(names[1:] if kind == DISTILLED else names)),
        code=_code(facts),
        system=_system(kind, config),
        languages=[f"{name} ({language})" for name, language in zip(names, languages, strict=True)],
        base=base.name,
        base_licence=base.licence,
        teacher=_teacher(config, facts),
        collection=_titled(collection, about_collection),
        fingerprint=facts["collection_fingerprint"],
        collection_licence=_quoted(licences[1]),
        vectors=_vectors(settings, folder),
        late=settings.scoring == "late",
        cost=_cost(facts),
        table=_table(measured) if measured else None,
        comparisons=_comparisons(measured) if measured else None,
        split=measured["split"] if measured else None,
        judged=_judged(measured) if measured else None,
        limits=_limits(kind, names, settings, measured),
        licence=_licence(licences),
        hyperparameters=_hyperparameters(config),
        **{key: value for key, value in vars(settings).items() if key != "scoring"},
    )
    return str(card).rstrip() + "\n"


def update_card(run: RunFolder) -> None:
    """Write the run's card anew, with the figures in its `metrics.json` if it has one."""
    measured = json.loads(run.metrics.read_text(encoding="utf-8")) if run.metrics.is_file() else None
    write_card(run.encoder, model_card(run, run.encoder, measured))


@dataclass(frozen=True)
class _Base:
    """The pretrained encoder: as the card calls it, its name on the hub, what its own card says of its licence."""

    name: str
    hub_name: str | None
    licence: str | None


def _base(run: RunFolder, config: Mapping[str, Any]) -> _Base:
    """Of a student, that of its teacher, where the teacher's run is still there."""
    model = config["model"]["init_args"]
    if model.get("teacher"):
        with suppress(UserError):
            home = run_of(find_teacher(run))
            model = home.read_config()["model"]["init_args"] if home and home.config.is_file() else {}
    encoder = model.get("encoder")
    if encoder is None:
        return _Base("that of the teacher", None, None)
    name, readme = _named(encoder, "encoder")
    if str(encoder) == STARTER:
        return _Base(f"{_STARTER_ENCODER}, weights rounded to 4 bits", _STARTER_ENCODER, stated_licence(readme))
    return _Base(_titled(name, readme), None if Path(encoder).is_dir() else str(encoder), stated_licence(readme))


def _named(name: str, what: str) -> tuple[str, str]:
    """What to call a collection or encoder, not where it lies on this machine; and its README.md."""
    try:
        folder = Path(locate(name, what))
    except UserError:  # the starter was removed since
        return name, ""
    readme = folder / "README.md"
    shown = folder.resolve().name if folder.is_dir() and name != STARTER else name
    return shown, readme.read_text(encoding="utf-8", errors="replace") if readme.is_file() else ""


def _titled(name: str, readme: str) -> str:
    heading = next((line[2:].strip() for line in readme.splitlines() if line.startswith("# ")), None)
    return f"{name} ({heading})" if heading else name


def _title(kind: str, names: list[str]) -> str:
    if kind == TEACHER:
        return "English ranker"
    if kind == DISTILLED:
        return f"query encoder, {_listed(names[1:])} to English"
    return f"encoder of {_listed(names)}"


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _system(kind: str, config: Mapping[str, Any]) -> str:
    model = config["model"]["init_args"]
    if not (alignment := model.get("alignment")):
        return kind
    return f"{method_title(alignment, model.get('marginals'))} (`model.alignment` {alignment})"


def _teacher(config: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    teacher = config["model"]["init_args"].get("teacher")
    if teacher is None:
        return None
    folder = Path(teacher)
    shown = folder.parent.name if folder.name == "encoder" else folder.name
    return f"{shown}, fingerprint `{facts['encoder_fingerprint']}`"


def _code(facts: Mapping[str, Any]) -> str:
    code = facts.get("code")
    if code is None:
        return "of an unknown version"
    changed = ", with changes that were not committed" if code["changed"] else ""
    return f"{code['version']}, commit `{code['commit']}`{changed}" if code["commit"] else code["version"]


def _vectors(settings: FolderSettings, folder: Path) -> str:
    dense = next(folder.glob("*_Dense/config.json"))
    dimensions = json.loads(dense.read_text(encoding="utf-8"))["out_features"]
    if settings.scoring == "late":
        return f"a unit vector of {dimensions} dimensions for each token; scores are MaxSim (late interaction)"
    return f"one unit vector of {dimensions} dimensions, the projected mean over its tokens; scores are cosines"


def _cost(facts: Mapping[str, Any]) -> str:
    devices = facts.get("devices", 1)
    return f"{facts['steps']} steps, {facts['seconds']:.0f} s on {devices} device{'s' if devices > 1 else ''}"


def _results(measured: Mapping[str, Any], kind: str, collection: str) -> list[EvalResult]:
    """For the hub's own table: the encoder's rows, not those that are set beside them."""
    return [
        EvalResult(
            task_type="information-retrieval",
            task_name="Information Retrieval",
            dataset_type=collection,
            dataset_name=f"{collection}, {language_name(system['language'])} queries, English documents",
            dataset_config=system["language"],
            dataset_split=measured["split"],
            dataset_revision=measured["collection_fingerprint"],
            metric_type=name.lower(),
            metric_name="; ".join(
                [f"{name} [95 % interval {low:.3f}, {high:.3f}]", f"n = {system['queries']}", *_judged(measured)]
            ),
            metric_value=round(values["mean"], 4),
        )
        for system in measured["systems"]
        if system["system"] == kind
        for name, values in system["measures"].items()
        for low, high in [values["interval_95"]]
    ]


def _judged(measured: Mapping[str, Any]) -> list[str]:
    """What is to be said beside the figures; nothing of runs that were evaluated before it could be chosen."""
    return Judging(**measured.get("judging", {})).notes()


def _table(measured: Mapping[str, Any]) -> str:
    systems = measured["systems"]
    rows = [["system", "queries", "n", *systems[0]["measures"]]]
    for system in systems:
        cells = [
            f"{values['mean']:.3f} [{values['interval_95'][0]:.3f}, {values['interval_95'][1]:.3f}]"
            for values in system["measures"].values()
        ]
        rows.append([system["system"], language_name(system["language"]), str(system["queries"]), *cells])
    return columns(rows)


def _comparisons(measured: Mapping[str, Any]) -> str:
    return "\n".join(
        f"- {found['system']} against {found['baseline']}, {language_name(found['language'])} queries: "
        f"{found['measure']} {found['difference']:+.3f} "
        f"[{found['interval_95'][0]:+.3f}, {found['interval_95'][1]:+.3f}], n = {found['queries']}, "
        f"{p_value(found['p_holm'])} (t-test over queries, Holm): {found['verdict']}"
        for found in measured["comparisons"]
        if "queries" in found  # not of runs that were evaluated before tests were what they are now
    )


def _limits(kind: str, names: list[str], settings: FolderSettings, measured: Mapping[str, Any] | None) -> list[str]:
    shown = sorted({language_name(system["language"]) for system in measured["systems"]}) if measured else []
    limits = [
        f"Trained in {_listed(names)}; measured in {_listed(shown) if shown else 'no language yet'}. Of other languages"
        " nothing is known.",
        f"What is longer than {settings.query_length} (query) or {settings.document_length} (document) tokens is cut at"
        " the end; languages that the tokenizer splits into many pieces lose more.",
        "Figures are of one collection and one seed, and say little of texts of another domain or kind.",
        "It has the biases of its pretrained encoder and of the texts it was trained on; nothing was done about them.",
    ]
    if kind == DISTILLED:
        limits.insert(1, "Not for documents: those are its teacher's, and an index of another encoder does not fit.")
    return limits


def _licence(licences: list[str | None]) -> str:
    base, data = (_quoted(licence) or "licence not stated where it was read" for licence in licences)
    return (
        f"The weights derive from the base encoder ({base}) and the collection ({data}). The metadata name a licence "
        "only where both state the same one. Check that both allow what you mean to do. clir-ot itself: Apache 2.0."
    )


def _quoted(text: str | None) -> str | None:
    return f'"{text}"' if text else None


def _hyperparameters(config: Mapping[str, Any]) -> str:
    shown = {key: str(value) for key, value in deciding(dict(config)).items()}
    rows = [["key", "value"]]
    for key, value in shown.items():
        if key in ("model.encoder", "model.teacher"):
            continue  # said above, not as a path
        rows.append([f"`{key}`", (Path(value).name if Path(value).is_absolute() else value).replace("|", "\\|")])
    return columns(rows)
