"""What an ablation file says: an experiment, its variants, the seeds, the kind of table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from clir_ot.ablation.variant import Variant
from clir_ot.errors import UserError
from clir_ot.files import read_yaml
from clir_ot.kit.named import Shelf, find
from clir_ot.runs.folder import RunFolder

ZERO_SHOT = "zero-shot"


def pairs_against(names: Iterable[str], baselines: Sequence[str]) -> list[tuple[str, str]]:
    """`(variant, baseline)`, each two of them once: the family of tests that is corrected."""
    pairs: list[tuple[str, str]] = []
    for baseline in baselines:
        pairs += [(name, baseline) for name in names if name != baseline and (baseline, name) not in pairs]
    return pairs


TableKind = Literal["student", "languages"]


class _File(BaseModel):
    """Of what kind the values are."""

    model_config = ConfigDict(strict=True)
    experiment: str
    seeds: Annotated[list[int], Field(min_length=1)]
    baselines: list[str]
    variants: Annotated[dict[str, dict[str, Any] | None], Field(min_length=1)]
    common: dict[str, Any] | None = None


@dataclass(frozen=True)
class Ablation:
    """What the YAML file says.

    Attributes:
        table: `student`: one language's students of one teacher; `languages`: encoders of several languages.
        experiment: YAML of the experiment that is varied.
        seeds: each variant is trained with each of them.
        baselines: variants that every other one is compared with; `zero-shot` is the teacher of students.
        common: settings of every variant, `{"trainer.max_epochs": 2}`.
        variants: `{name: its settings}`.
    """

    table: TableKind
    experiment: Path
    seeds: list[int]
    baselines: list[str]
    common: dict[str, Any]
    variants: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> "Ablation":
        """Read and check the file; `experiment` is relative to it, or a name.

        Raises:
            UserError: it or its experiment is missing, it is no YAML, or lacks something.
        """
        said = read_yaml(path)
        keys = {"table", "experiment", "seeds", "baselines", "variants"}
        if not keys <= said.keys() <= keys | {"common"}:
            raise UserError(f"{path}: expected the keys {', '.join(sorted(keys))} and perhaps common")
        if said["table"] not in get_args(TableKind):
            raise UserError(f"{path}: table is {said['table']}; expected {' or '.join(get_args(TableKind))}")
        try:
            _File.model_validate(said)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise UserError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
        variants = {name: settings or {} for name, settings in said["variants"].items()}
        known = [*variants, *([ZERO_SHOT] if said["table"] == "student" else [])]
        if unknown := [name for name in said["baselines"] if name not in known]:
            raise UserError(f"{path}: baseline {unknown[0]} is none of {', '.join(known)}")
        try:
            experiment = find(said["experiment"], Shelf.EXPERIMENT, beside=path.parent)
        except UserError as error:
            raise UserError(f"{path}: experiment: {error}") from error
        common = said.get("common") or {}
        return cls(said["table"], experiment, said["seeds"], said["baselines"], common, variants)

    def only(self, names: list[str]) -> "Ablation":
        """Some of the variants.

        Raises:
            UserError: one is not there.
        """
        if unknown := [name for name in names if name not in self.variants]:
            raise UserError(f"{unknown[0]} is no variant; there are {', '.join(self.variants)}")
        return replace(self, variants={name: self.variants[name] for name in names})

    def runs(self, folder: Path, collection: Path, shared: dict[str, Any]) -> dict[tuple[str, int], Variant]:
        """`{(variant, seed): run}`, each in `folder/<variant>/seed-<seed>`; `shared` are settings of all of them."""
        return {
            (name, seed): Variant(
                name, RunFolder(folder / name / f"seed-{seed}"), self.experiment, collection,
                {**self.common, **settings, **shared, "seed_everything": seed},
            )
            for name, settings in self.variants.items()
            for seed in self.seeds
        }  # fmt: skip
