"""What `clir-ot collection build` can build, by name: a table of contents, each builder in a module of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from clir_ot.collections.cache import STARTER
from clir_ot.errors import UserError


@dataclass(frozen=True)
class BuildRequest:
    """What the user asked for.

    Attributes:
        argument: what stands behind the colon of a name such as `opus:GlobalVoices:sw`, else nothing.
        folder: to write; whole or not at all.
        source: local copy in the published format; None fetches.
        languages: canonical codes; None is all that there are.
        accept_licence: the user has read the terms.
        progress: to be called, where it takes long, with the number of texts or pairs read since the last call.
    """

    argument: str
    folder: Path
    source: Path | None
    languages: list[str] | None
    accept_licence: bool
    progress: Callable[[int], None] = lambda done: None


@dataclass(frozen=True)
class Builder:
    """One name.

    Attributes:
        form: of the name, `opus:CORPUS:LANGUAGE`.
        says: what it is, in a line.
        build: writes the folder; raises UserError in a line where it cannot. Of a bitext it returns what to print, of a
            collection None.
        has_terms: that the user must accept.
    """

    form: str
    says: str
    build: Callable[[BuildRequest], str | None]
    has_terms: bool = False

    @property
    def name(self) -> str:
        """Without what stands behind the colon."""
        return self.form.partition(":")[0]


def find_builder(name: str) -> tuple[Builder, str]:
    """The builder that a name means, and what stands behind its colon.

    Raises:
        UserError: there is none; or the name lacks what must stand behind the colon, or has what must not.
    """
    first, _, argument = name.partition(":")
    builder = next((builder for builder in BUILDERS if builder.name == first), None)
    if builder is None:
        raise UserError(f"{name}: nothing of that name can be built; there are {', '.join(_forms())}")
    if bool(argument) != (":" in builder.form):
        raise UserError(f"{name}: expected {builder.form}")
    return builder, argument


def builder_list() -> str:
    """All names with what they are, a line each."""
    lines = [(STARTER, "interface text of Kolibri and an encoder, from pinned packages (the default)")]
    lines += [(builder.form, builder.says) for builder in BUILDERS]
    width = max(len(form) for form, _ in lines)
    return "\n".join(f"  {form:{width}}  {says}" for form, says in lines)


def _forms() -> list[str]:
    return [STARTER, *(builder.form for builder in BUILDERS)]


# What a builder needs is imported when it runs: the list of names is needed by every command.
def _xquad_r(request: BuildRequest) -> None:
    _lareqa("xquad-r", request)


def _mlqa_r(request: BuildRequest) -> None:
    _lareqa("mlqa-r", request)


def _lareqa(name: str, request: BuildRequest) -> None:
    from clir_ot.sources.lareqa import build_lareqa

    if request.languages:
        raise UserError(f"{name}: published figures are means over all its languages; leave --languages out")
    build_lareqa(name, request.source, request.folder)


def _mediawiki(request: BuildRequest) -> None:
    from clir_ot.sources.mediawiki import build_mediawiki, fetch_and_build_mediawiki

    if request.source is None:
        fetch_and_build_mediawiki(request.folder, request.languages)
    else:
        build_mediawiki(request.source, request.folder, request.languages)


def _msmarco(request: BuildRequest) -> None:
    from clir_ot.sources.msmarco import build_msmarco

    build_msmarco(request.folder, request.source, request.languages, request.accept_licence, progress=request.progress)


def _mmarco(request: BuildRequest) -> None:
    from clir_ot.sources.mmarco import build_mmarco

    build_mmarco(request.folder, request.source, request.languages, request.accept_licence, progress=request.progress)


def _published(name: str) -> Callable[[BuildRequest], None]:
    """`build_NAME` of the module of that name, of a set that asks for nothing but folder, source and languages."""

    def build(request: BuildRequest) -> None:
        module = import_module(f"clir_ot.sources.{name}")
        getattr(module, f"build_{name}")(request.folder, request.source, request.languages, progress=request.progress)

    return build


def _squad(request: BuildRequest) -> None:
    from clir_ot.sources.squad import build_squad

    build_squad(request.folder, request.source, request.languages, sentences=False, progress=request.progress)


def _squad_sentences(request: BuildRequest) -> None:
    from clir_ot.sources.squad import build_squad

    build_squad(request.folder, request.source, request.languages, sentences=True, progress=request.progress)


def _ir_dataset(request: BuildRequest) -> None:
    from clir_ot.sources.any_ir_dataset import build_ir_dataset

    build_ir_dataset(request.argument, request.folder, request.source, request.languages, progress=request.progress)


def _opus(request: BuildRequest) -> str:
    from clir_ot.sources.bitext_builders import build_opus

    _refuse_languages(request, f"opus:{request.argument}")
    return build_opus(request.argument, request.folder, request.source, request.progress)


def _nllb(request: BuildRequest) -> str:
    from clir_ot.sources.bitext_builders import build_nllb

    _refuse_languages(request, f"nllb:{request.argument}")
    return build_nllb(request.argument, request.folder, request.source, request.progress)


def _ntrex(request: BuildRequest) -> str:
    from clir_ot.sources.bitext_builders import build_ntrex

    return build_ntrex(request.languages, request.folder, request.source, request.progress)


def _refuse_languages(request: BuildRequest, name: str) -> None:
    if request.languages:
        raise UserError(f"{name}: the language stands in the name; leave --languages out")


BUILDERS: tuple[Builder, ...] = (
    Builder("xquad-r", "LAReQA's XQuAD-R: questions and answering sentences in 11 languages", _xquad_r),
    Builder("mlqa-r", "LAReQA's MLQA-R: likewise in 7 languages", _mlqa_r),
    Builder("mediawiki", "MediaWiki's messages and what is written about them, in over 200 languages", _mediawiki),
    Builder("msmarco", "MS MARCO passages: English, the usual training of a teacher", _msmarco, has_terms=True),
    Builder("mmarco", "MS MARCO translated by machine, parallel in 14 languages", _mmarco, has_terms=True),
    Builder("miracl", "MIRACL: Wikipedia passages and questions in 18 languages, not parallel", _published("miracl")),
    Builder("afriqa", "AfriQA: questions in 10 African languages to English or French passages", _published("afriqa")),
    Builder("ciral", "CIRAL: English questions to news in Hausa, Somali, Swahili, Yoruba", _published("ciral")),
    Builder("neuclir", "NeuCLIR 1: English topics to news in Persian, Russian, Chinese", _published("neuclir")),
    Builder("wikiclir", "WikiCLIR: English sentences to Wikipedia in 24 languages", _published("wikiclir")),
    Builder("clirmatrix", "CLIRMatrix: queries in 138 languages to English Wikipedia", _published("clirmatrix")),
    Builder("squad", "SQuAD 1.1: English questions to paragraphs", _squad),
    Builder("squad-sentences", "SQuAD 1.1: English questions to sentences", _squad_sentences),
    Builder("ir_datasets:ID", "anything in ir_datasets by id; several ids joined by +", _ir_dataset),
    Builder("opus:CORPUS:LANGUAGE", "bitext of an OPUS corpus, added to a folder", _opus),
    Builder("nllb:LANGUAGE", "bitext mined from the web as NLLB's, added to a folder", _nllb),
    Builder("ntrex", "bitext of NTREX-128, news in 128 languages, added to a folder", _ntrex),
)
