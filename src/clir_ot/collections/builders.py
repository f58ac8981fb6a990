"""What `clir-ot collection build` can build, by name: a table of contents, each builder in a module of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clir_ot.collections.cache import STARTER
from clir_ot.errors import UserError

_TRAINABLE = "make teacher COLLECTION={folder}"
_TEST_ONLY = (
    "clir-ot search --encoder runs/starter/hybrid/encoder --collection {folder} --language de --output de.trec\n"
    "      clir-ot evaluate de.trec --collection {folder} --language de"
)


@dataclass(frozen=True)
class BuildRequest:
    """What the user asked for.

    Attributes:
        argument: what stands behind the colon of a name such as `opus:GlobalVoices:sw`, else nothing.
        folder: to write; whole or not at all.
        source: local copy in the published format; None fetches.
        languages: canonical codes; None is all that there are.
        accept_licence: the user has read the terms.
    """

    argument: str
    folder: Path
    source: Path | None
    languages: list[str] | None
    accept_licence: bool


@dataclass(frozen=True)
class Builder:
    """One name.

    Attributes:
        form: of the name, `opus:CORPUS:LANGUAGE`.
        says: what it is, in a line.
        build: writes the folder; raises UserError in a line where it cannot.
        next: what the user does next, with `{folder}`.
    """

    form: str
    says: str
    build: Callable[[BuildRequest], None]
    next: str = _TRAINABLE

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
    from clir_ot.collections.lareqa import build_lareqa

    if request.languages:
        raise UserError(f"{name}: published figures are means over all its languages; leave --languages out")
    build_lareqa(name, request.source, request.folder)


BUILDERS = (
    Builder("xquad-r", "LAReQA's XQuAD-R: questions and answering sentences in 11 languages", _xquad_r, _TEST_ONLY),
    Builder("mlqa-r", "LAReQA's MLQA-R: likewise in 7 languages", _mlqa_r, _TEST_ONLY),
)
