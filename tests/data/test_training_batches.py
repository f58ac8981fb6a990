"""From plans to batches, with the tiny encoder's tokenizer."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer

from clir_ot import Collection
from clir_ot.data.sampler import BatchPlan, Row
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.data.training_batches import TrainingBatches, TrainingTexts


@pytest.fixture
def batches(collection_folder: Path, encoder_folder: Path) -> TrainingBatches:
    texts = TrainingTexts.read(Collection(collection_folder), ["en", "yo"], rankings=True, bitext=False)
    bitext = {"yo": Collection(collection_folder).bitext("yo")}
    texts = TrainingTexts(texts.queries, texts.documents, texts.relevant, bitext)
    tokenizer = TextTokenizer(AutoTokenizer.from_pretrained(encoder_folder), "query: ", "passage: ", 32, 64)
    return TrainingBatches(texts, tokenizer, cloze_share=0.5, passage_words=100)


def words(batches: TrainingBatches, tokens) -> list[str]:
    return batches.tokenizer.tokenizer.batch_decode(tokens.input_ids, skip_special_tokens=True)


def test_bitext_rows_are_a_pair_or_english_twice(batches: TrainingBatches) -> None:
    english, foreign = batches.texts.bitext["yo"][3]
    batch = batches[BatchPlan("bitext", [Row(("yo", 3), "yo", "en", 0.1), Row(("yo", 3), "en", "en", 0.1)])]
    assert batch.languages == ["yo", "en"]
    assert batch.ids == ["yo:4", "yo:4"]
    assert batch.repeated.all()
    assert (batch.total, batch.total_foreign) == (2, 1)
    assert words(batches, batch.english) == [f"query : {english}"] * 2
    assert words(batches, batch.foreign) == [f"query : {foreign}", f"query : {english}"]


def test_the_draw_decides_whether_the_query_is_left_out(batches: TrainingBatches) -> None:
    batch = batches[BatchPlan("monolingual", [Row("d0.1", "en", "en", 0.1), Row("d0.1", "en", "en", 0.9)])]
    left_out, kept = words(batches, batch.documents)
    query = batches.texts.queries["en"]["d0.1"]
    assert query not in left_out
    assert query in kept
    assert kept.startswith("passage : ")


def test_the_translated_query_is_left_out_of_a_foreign_document(batches: TrainingBatches) -> None:
    batch = batches[BatchPlan("cross-lingual", [Row("d0.1", "en", "yo", 0.1)])]
    assert words(batches, batch.queries) == [f"query : {batches.texts.queries['en']['d0.1']}"]
    (document,) = words(batches, batch.documents)
    assert batches.texts.queries["yo"]["d0.1"] not in document
    assert batches.texts.queries["yo"]["d0.0"] in document


def test_rows_of_one_document_are_no_negatives_of_each_other(batches: TrainingBatches) -> None:
    rows = [Row("d0.0", "en", "en", 0.1), Row("d0.2", "en", "yo", 0.1), Row("d1.0", "yo", "yo", 0.1)]
    relevant = batches[BatchPlan("cross-lingual", rows)].relevant
    assert torch.equal(relevant, torch.tensor([[True, True, False], [True, True, False], [False, False, True]]))


def test_what_is_no_negative_is_known_of_the_other_ranks_rows_too(batches: TrainingBatches) -> None:
    rows = [Row("d0.0", "en", "en", 0.1), Row("d1.0", "yo", "yo", 0.1)]
    others = [[Row("d1.2", "en", "yo", 0.9)], [Row("d4.0", "yo", "en", 0.1)]]
    relevant = batches[BatchPlan("cross-lingual", rows, others)].relevant
    assert torch.equal(relevant, torch.tensor([[True, False, False, False], [False, True, True, False]]))
    plan = BatchPlan("bitext", [Row(("yo", 1), "yo", "en", 0.1)], [[Row(("yo", i), "en", "en", 0.1) for i in (2, 1)]])
    batch = batches[plan]
    assert batch.repeated.tolist() == [[True, False, True]]
    assert batch.languages == ["yo", "en", "en"]
    assert (batch.own_foreign, batch.total, batch.total_foreign) == (1, 3, 1)


def test_hard_negatives_follow_the_relevant_documents(batches: TrainingBatches) -> None:
    listed = {"d0.0": ["d0", "d4", "d5"], "d1.0": ["d9"]}  # d0 is relevant to d0.0 and no negative
    hard = TrainingBatches(replace(batches.texts, negatives=listed), batches.tokenizer, None, 0, negatives=2)
    rows = [Row("d0.0", "en", "en", 0.7), Row("d1.0", "en", "yo", 0.1)]
    batch = hard[BatchPlan("cross-lingual", rows, [[Row("d4.0", "en", "en", 0.1)]])]
    english, foreign = (batches.texts.documents[name] for name in ("en", "yo"))
    expected = [english["d0"], foreign["d1"], english["d5"], english["d4"], foreign["d9"]]
    assert words(batches, batch.documents) == [f"passage : {text}".replace("\n", " ") for text in expected]
    assert batch.relevant.tolist() == [[True, *[False] * 5], [False, True, *[False] * 4]]
    assert batch.document_languages == ["en", "yo", "en", "en", "yo", "en"]


def test_bitext_as_a_ranking_asks_for_the_english_side(batches: TrainingBatches) -> None:
    plan = BatchPlan("bitext", [Row(("yo", 1), "yo", "en", 0.1)], [[Row(("yo", i), "en", "en", 0.1) for i in (2, 1)]])
    bitext = batches[plan]
    ranking = bitext.as_ranking()
    english, foreign = batches.texts.bitext["yo"][1]
    assert words(batches, ranking.queries) == [f"query : {foreign}"]
    assert words(batches, ranking.documents) == [f"query : {english}"]
    assert ranking.relevant.tolist() == [[True, False, True]]
    assert ranking.pairs == [("yo", "en"), ("en", "en"), ("en", "en")]
    assert ranking.document_languages == ["en"] * 3
    assert (ranking.kind, ranking.ids) == ("bitext", ["yo:2"])
    own = batches[BatchPlan("cross-lingual", [Row("d0.1", "en", "yo", 0.1)])]
    assert own.as_ranking() is own


def test_a_language_with_judgements_of_its_own_is_trained_by_them(own_collection: Path) -> None:
    (own_collection / "qrels" / "train.yo.tsv").write_text("query-id\tcorpus-id\tscore\nd0.1\td5\t1\nd3.0\td3\t1\n")
    texts = TrainingTexts.read(Collection(own_collection), ["en", "yo"], rankings=True, bitext=False)
    assert texts.relevant["yo"] == {"d0.1": ["d5"], "d3.0": ["d3"]}
    assert texts.relevant["en"]["d0.1"] == ["d0"]
    assert "d3.0" not in texts.relevant["en"]


def test_relevance_is_by_the_querys_language(own_collection: Path, encoder_folder: Path) -> None:
    (own_collection / "qrels" / "train.yo.tsv").write_text("query-id\tcorpus-id\tscore\nd0.1\td5\t1\n")
    texts = TrainingTexts.read(Collection(own_collection), ["en", "yo"], rankings=True, bitext=False)
    tokenizer = TextTokenizer(AutoTokenizer.from_pretrained(encoder_folder), "query: ", "passage: ", 32, 64)
    assert texts.rankings(tokenizer, None)["yo", "en"].keys() == {"d0.1"}
    rows = [Row("d0.1", "yo", "en", 0.1), Row("d0.1", "en", "en", 0.1)]
    batch = TrainingBatches(texts, tokenizer, None, 0)[BatchPlan("cross-lingual", rows)]
    documents = tokenizer.tokenizer.batch_decode(batch.documents.input_ids, skip_special_tokens=True)
    expected = [texts.documents["en"][name].replace("\n", " ") for name in ("d5", "d0")]
    assert documents == [f"passage : {text}" for text in expected]
    assert torch.equal(batch.relevant, torch.eye(2, dtype=torch.bool))
