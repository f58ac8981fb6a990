"""Which encoder a student was taught by: known by its content, wherever it lies now."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from clir_ot.collections.cache import locate
from clir_ot.errors import UserError
from clir_ot.files import user_path
from clir_ot.models.encoder_folder import fingerprint
from clir_ot.runs.folder import RunFolder
from clir_ot.runs.progress import say

_TEACHER = "teacher"  # in run.json: where it was found
_UP = 4  # folders above a run in which it is looked for


def find_teacher(run: RunFolder, given: str | Path | None = None) -> str | Path:
    """The folder, or name on the hub, of a student's teacher.

    Where it was when the student was trained, or else beside the student's run, or where it was found the last time.

    Args:
        run: of the student.
        given: where it is now, its encoder's folder or its run's; noted in the student's run.

    Raises:
        UserError: it is none of these, or not the encoder that the student was taught by.
    """
    said, facts = str(run.read_config()["model"]["init_args"]["teacher"]), run.read_facts()
    wanted = facts.get("encoder_fingerprint")
    if given is not None:
        place = user_path(given)
        place = RunFolder(place).encoder if RunFolder(place).is_trained else place
        if fingerprint(place) != wanted:
            raise UserError(
                f"{given}: is not the encoder that {run.path} was taught by; its fingerprint is {fingerprint(place)}, "
                f"that of the teacher {wanted}"
            )
        _note(run, place)
        return place
    usual = locate(said, "encoder")
    if wanted in (None, fingerprint(usual)):
        return usual
    for place in _beside(run, said, facts.get(_TEACHER)):
        if fingerprint(place) == wanted:
            if facts.get(_TEACHER) != str(place):
                say(f"{run.path}: its teacher is no longer in {said}, but in {place}")
                _note(run, place)
            return place
    what = "holds another encoder now" if Path(usual).is_dir() else "is not there"
    raise UserError(
        f"{run.path}: its teacher's folder {said} {what}; say where the teacher is: clir-ot evaluate {run.path} "
        "--teacher DIR --collection DIR (it is known by its content), or distil the student anew"
    )


def _note(run: RunFolder, place: Path) -> None:
    with suppress(UserError):  # of a run that cannot be written
        run.add_facts(**{_TEACHER: str(place.resolve())})


def _beside(run: RunFolder, said: str, noted: str | None) -> Iterator[Path]:
    """Folders that may be the teacher's encoder, the likeliest first."""
    places = [Path(noted)] if noted else []
    above = list(run.path.resolve().parents[:_UP])
    names = Path(said).parts
    places += [folder.joinpath(*names[-count:]) for folder in above for count in (2, 1) if len(names) >= count]
    # The runs beside it that are not students themselves.
    for folder in above[:2]:
        for encoder in sorted(folder.glob("*/encoder")):
            places += [] if _is_student(RunFolder(encoder.parent)) else [encoder]
    return (place for place in dict.fromkeys(places) if place.is_dir())


def _is_student(run: RunFolder) -> bool:
    try:
        return bool(run.read_config()["model"]["init_args"].get("teacher"))
    except (UserError, KeyError, TypeError, AttributeError):  # no run, or something else's config.yaml
        return False
