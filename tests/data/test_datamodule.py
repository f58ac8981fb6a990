"""What of a collection is read, and what is refused before anything is trained."""

from pathlib import Path

import pytest

from clir_ot import CLIRDataModule, Collection
from clir_ot.errors import UserError


def rename_queries(collection: Path, language: str) -> None:
    """Give a language queries of its own, of which the common judgements know nothing."""
    lines = ['{"_id": "other1", "text": "arab lised"}', '{"_id": "other2", "text": "metif"}']
    (collection / f"queries.{language}.jsonl").write_text("\n".join(lines) + "\n")


def setup(folder: Path, languages: str, **options) -> CLIRDataModule:
    data = CLIRDataModule(folder, languages, **options)
    data.setup("fit")
    return data


def test_a_part_of_the_bitext_keeps_its_places_in_the_file(collection_folder: Path) -> None:
    whole = Collection(collection_folder).bitext("yo")
    texts = setup(collection_folder, "yo", bitext_rate=1.0, bitext_pairs=7, seed=3).texts
    ids = [texts.pair_id("yo", position) for position in range(7)]
    assert texts.bitext["yo"] == [whole[int(name.removeprefix("yo:")) - 1] for name in ids]
    assert ids != [f"yo:{n}" for n in range(1, 8)]
    assert setup(collection_folder, "yo", bitext_rate=1.0).texts.pair_id("yo", 16) == "yo:17"


def test_english_needs_no_bitext_beside_rankings(collection_folder: Path) -> None:
    assert setup(collection_folder, "en,yo", bitext_rate=0.5).texts.bitext.keys() == {"yo"}
    with pytest.raises(UserError, match="has no bitext in 'sw'"):
        setup(collection_folder, "en,yo,sw", bitext_rate=0.5)
    with pytest.raises(UserError, match="has no bitext in 'en'"):
        setup(collection_folder, "en,yo", bitext_rate=1.0)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_a_language_without_judged_queries_is_refused(own_collection: Path, alpha: float) -> None:
    rename_queries(own_collection, "sw")
    with pytest.raises(UserError, match=r"none of the queries in 'sw' has a relevant document in split 'train'"):
        setup(own_collection, "en,sw", alpha=alpha)


def test_a_language_judged_by_its_own_file_is_taken(own_collection: Path) -> None:
    rename_queries(own_collection, "sw")
    (own_collection / "qrels" / "train.sw.tsv").write_text("query-id\tcorpus-id\tscore\nother1\td5\t1\n")
    assert setup(own_collection, "en,sw", alpha=0.5).texts.relevant["sw"] == {"other1": ["d5"]}


def test_a_language_without_documents_is_refused_where_nothing_would_train_it(own_collection: Path) -> None:
    (own_collection / "corpus.sw.jsonl").unlink()
    for options in ({}, {"alpha": 1.0}, {"mode": "X-X"}, {"mode": "X-X-mono"}):
        with pytest.raises(UserError, match=r"has no relevant documents in 'sw'; monolingual batches need them"):
            setup(own_collection, "en,yo,sw", **options)
    assert setup(own_collection, "en,yo,sw", alpha=0.5).texts.is_judged("sw", "en")
    assert setup(own_collection, "en,yo,sw", mode="X-Y").texts.is_judged("sw", "yo")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bitext_rate": 1.0, "alpha": 0.5}, "data.alpha is 0.5, but data.bitext_rate is 1"),
        ({"bitext_rate": 1.0, "mode": "X-Y"}, "data.mode is X-Y, but data.bitext_rate is 1"),
        ({"bitext_rate": 1.0, "language_temperature": 2.0}, "data.language_temperature is 2.0, but data.bitext_rate"),
        ({"bitext_rate": 1.0, "cloze_share": 0.9}, "data.cloze_share is 0.9, but data.bitext_rate is 1"),
        (
            {"bitext_rate": 1.0, "hard_negatives": "collection", "negatives": 2},
            "data.hard_negatives is collection, but data.bitext_rate is 1",
        ),
        ({"workers": -1}, "data.workers is -1; it must be at least 0"),
        ({"english_share": 0.25}, "data.english_share is 0.25, but data.bitext_rate is 0"),
        ({"bitext_pairs": 10}, "data.bitext_pairs is 10, but data.bitext_rate is 0"),
        (
            {"language_temperature": 2.0, "alpha": 0.0},
            "data.language_temperature is 2.0, but no batch is of one language",
        ),
        ({"language_temperature": 2.0, "mode": "X-Y"}, "data.language_temperature is 2.0, but no batch is of one"),
        ({"language_temperature": 2.0, "mode": "X-X"}, "data.language_temperature is 2.0, but no batch is of one"),
    ],
)
def test_an_option_that_no_batch_reads_or_out_of_range_is_refused(
    collection_folder: Path, options: dict, said: str
) -> None:
    with pytest.raises(UserError) as caught:
        CLIRDataModule(collection_folder, "en,yo", **options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_options_that_are_read_are_taken(collection_folder: Path) -> None:
    for options in (
        {"bitext_rate": 0.5, "alpha": 0.5, "english_share": 0.1, "cloze_share": 0.9, "bitext_pairs": 9},
        {"alpha": 0.5, "language_temperature": 2.0},
        {"mode": "X-X-mono", "language_temperature": 2.0},
    ):
        setup(collection_folder, "en,yo", **options)
