"""How the encoder in a folder reads texts, as far as its files say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from clir_ot.errors import UserError

Scoring = Literal["late", "dense"]
Pooling = Literal["mean", "cls"]

Values = Mapping[str, tuple[Any, ...]]
"""Settings, and the values of each that mean what clir-ot does; None stands for a setting that is not there, too."""

IDENTITY = "torch.nn.modules.linear.Identity"


@dataclass
class Layout:
    """What is read from the files.

    Attributes:
        transformer: its subfolder, "" for the folder itself.
        scoring: `late` or `dense`; None of a transformer alone.
        modules: subfolders of what comes behind the transformer.
        projection: subfolder of the projection; None where there is none, with dense scoring too.
        activation: behind it, the name of a class of torch's.
        pooling: of dense scoring.
        query_prefix, document_prefix: before each text.
        query_length, document_length: in tokens, at most; None: as much as transformer and tokenizer take.
        own: clir-ot wrote it.
        problems: settings that cannot be honoured, by the file that says them.
    """

    transformer: str = ""
    scoring: Scoring | None = None
    modules: list[str] = field(default_factory=list)
    projection: str | None = None
    activation: str = IDENTITY
    pooling: Pooling = "mean"
    query_prefix: str = ""
    document_prefix: str = ""
    query_length: int | None = None
    document_length: int | None = None
    own: bool = False
    problems: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, place: str, settings: Iterable[str]) -> None:
        """Take settings down as ones that cannot be honoured."""
        if found := list(settings):
            self.problems.setdefault(place, []).extend(found)

    def compare(self, place: str, said: Mapping[str, Any], known: Values) -> None:
        """Take down settings that are unknown, or have other values than those; none of null, {} and []."""
        wrong = {name: value for name, value in said.items() if value not in known.get(name, (None, {}, []))}
        self.refuse(place, (f"{name} {shown(value)}" for name, value in wrong.items()))

    def check(self, folder: Path) -> None:
        """Refuse an encoder that says more than can be honoured.

        Raises:
            UserError: names the settings.
        """
        if self.problems:
            listed = "; ".join(f"{', '.join(settings)} ({place})" for place, settings in self.problems.items())
            raise UserError(
                f"{folder}: clir-ot would give other vectors than this encoder was trained for, for it does not honour "
                f"{listed}; choose one without"
            )


def shown(value: Any) -> str:
    """A setting's value, in a message."""
    if isinstance(value, list | dict):
        return f"({len(value)} of them)"
    return str(value).lower() if isinstance(value, bool) else repr(value)
