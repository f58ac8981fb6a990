"""The one DataModule of all systems."""

import random
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Literal, cast

import numpy as np
import pytorch_lightning as pl
import torch
from numpy.typing import NDArray
from pytorch_lightning.utilities import rank_zero_only

from clir_ot.collections import Collection
from clir_ot.collections.trec import ranking, read_run
from clir_ot.data.from_collection import AUTO, passages, training_languages
from clir_ot.data.idf import inverse_document_frequencies
from clir_ot.data.resumable_loader import ResumableLoader
from clir_ot.data.sampler import HybridBatchSampler, Mode, monolingual_share
from clir_ot.data.tokenizer import TextTokenizer
from clir_ot.data.training_batches import TrainingBatches, TrainingTexts
from clir_ot.errors import UserError, require, require_share

_DEPTH = 100  # of a run, from which hard negatives are drawn


class CLIRDataModule(pl.LightningDataModule):
    """Training batches from a collection folder, for every system.

    The teacher is its all-English case (`languages: en`), distillation its bitext case (`bitext_rate: 1`), hybrid
    batch training its general case. The batches are tokenised by the `tokenizer` of the module that is trained.

    Args:
        collection: folder in the format of `clir_ot.Collection`.
        languages: codes, as a list or separated by commas; or `auto`, see `training_languages`.
        mode, alpha, language_temperature: how ranking batches are made, see `HybridBatchSampler`.
        bitext_rate: share of bitext batches among all.
        bitext_pairs: of each language, drawn by the seed, a smaller draw being part of a larger one; None reads all.
        english_share: share of bitext rows whose foreign side is their English side.
        batch_size: rows of a batch over all devices together.
        hard_negatives: TREC run file, whose best documents of a query that are not relevant to it are its hard
            negatives; or `collection`: what the queries file lists as `"negatives"`.
        negatives: hard negatives a query, drawn from its first 100.
        cloze_share: how often a query that is part of its document is left out of the training passage; None reads
            whole documents, `auto` looks whether queries are part of theirs, see `passages`.
        passage_words: words of a training passage, where documents are not read whole.
        seed: of the batches.
        workers: processes that prepare batches.

    Raises:
        UserError: an option that no batch would read, or out of range; from `setup`: what the collection lacks.
    """

    def __init__(
        self,
        collection: str | Path,
        languages: str | list[str],
        *,
        mode: Mode = "hybrid",
        alpha: float | None = None,
        language_temperature: float | None = None,
        bitext_rate: float = 0.0,
        bitext_pairs: int | None = None,
        english_share: float = 0.0,
        batch_size: int = 32,
        hard_negatives: str | None = None,
        negatives: int = 0,
        cloze_share: float | Literal["auto"] | None = None,
        passage_words: int = 48,
        seed: int = 0,
        workers: int = 0,
    ) -> None:
        super().__init__()
        self.collection = Collection(collection)
        self.languages = training_languages(self.collection, languages)
        self.mode, self.alpha, self.language_temperature = mode, alpha, language_temperature
        self.bitext_rate, self.bitext_pairs, self.english_share = bitext_rate, bitext_pairs, english_share
        self.batch_size, self.seed, self.workers = batch_size, seed, workers
        self.passage_words = passage_words
        self.hard_negatives, self.negatives = hard_negatives, negatives
        require("data.batch_size", batch_size, least=1)
        require("data.workers", workers, least=0)
        require("data.passage_words", passage_words, least=1)
        require("data.bitext_pairs", bitext_pairs, least=1, hint=", or null for all")
        require("data.language_temperature", language_temperature, above=0, hint=", or null")
        require_share("data.alpha", alpha)
        require_share("data.bitext_rate", bitext_rate)
        require_share("data.english_share", english_share)
        if negatives < 0 or bool(negatives) != bool(hard_negatives):
            raise UserError(
                "data.negatives says how many hard negatives a query gets, and data.hard_negatives which; set both"
            )
        self._refuse_unread(cloze_share)
        if cloze_share == AUTO:
            cloze_share = passages(self.collection, self.languages, passage_words).cloze_share
        require_share("data.cloze_share", cloze_share)
        self.cloze_share = cloze_share

    def setup(self, stage: str) -> None:
        """Read what training needs of the collection."""
        self.texts = TrainingTexts.read(
            self.collection, self.languages, rankings=self.bitext_rate < 1, bitext=self.bitext_rate > 0
        )
        if self.bitext_pairs is not None:
            self.texts = self.texts.draw(
                {name: self._draw(name, len(pairs), self.bitext_pairs) for name, pairs in self.texts.bitext.items()}
            )
        if self.bitext_rate < 1:
            self._check_judgements()
        if self.hard_negatives:
            self.texts = replace(self.texts, negatives=self._read_negatives(self.hard_negatives))

    @property
    def mixes_documents(self) -> bool:
        """Whether a batch can hold documents of several languages."""
        mixed = self.mode == "X-X" or monolingual_share(self.mode, self.alpha) < 1
        return self.bitext_rate < 1 and mixed and len(set(self.languages)) > 1

    def _refuse_unread(self, cloze_share: float | str | None) -> None:
        """No option that no batch would read."""
        share = monolingual_share(self.mode, self.alpha)
        languages_drawn = self.mode != "X-X" and share > 0
        rankings = {
            "mode": self.mode if self.mode != "hybrid" else None,
            "alpha": self.alpha,
            "language_temperature": self.language_temperature,
            "hard_negatives": self.hard_negatives,
            "cloze_share": cloze_share,
        }
        bitext = {"bitext_pairs": self.bitext_pairs, "english_share": self.english_share or None}
        for rate, options, kind in ((1, rankings, "ranking"), (0, bitext, "bitext")):
            for name, value in options.items():
                if self.bitext_rate == rate and value is not None:
                    raise UserError(
                        f"data.{name} is {value}, but data.bitext_rate is {rate}: there are no {kind} batches; leave "
                        "it out"
                    )
        if self.language_temperature is not None and not languages_drawn:
            raise UserError(
                f"data.language_temperature is {self.language_temperature}, but no batch is of one language, with mode "
                f"{self.mode} and alpha {share}; set it to null"
            )

    def _check_judgements(self) -> None:
        """That every language has what ranking batches of it are made of."""
        monolingual = monolingual_share(self.mode, self.alpha) == 1
        found = {
            document for relevant in self.texts.relevant.values() for there in relevant.values() for document in there
        }
        if len(found) == 1 and not self.negatives:
            raise UserError(
                f"{self.collection.folder}: all training queries are about document {next(iter(found))!r}, so that no "
                "batch has another one to tell it apart from; bring more, or data.hard_negatives"
            )
        for name in self.languages:
            folder = self.collection.folder
            if not self.texts.is_judged(name):
                raise UserError(
                    f"{folder}: none of the queries in {name!r} has a relevant document in split 'train'; translations "
                    f"must keep the _id of the query they translate, or be judged in qrels/train.{name}.tsv"
                )
            # Where some batches are cross-lingual, the language is trained on in those.
            if monolingual and not self.texts.is_judged(name, name):
                raise UserError(
                    f"{folder} has no relevant documents in {name!r}; monolingual batches need them: bring "
                    f"corpus.{name}.jsonl, or set data.alpha below 1"
                )

    def _draw(self, language: str, pairs: int, count: int) -> NDArray[np.int64]:
        if not 1 <= count <= pairs:
            raise UserError(f"data.bitext_pairs is {count}; the bitext in {language!r} has {pairs} pairs")
        order = array("q", range(pairs))  # numbers, not objects: there may be millions
        random.Random(f"{self.seed} {language}").shuffle(order)
        return np.sort(np.frombuffer(order, dtype=np.int64)[:count])

    def _read_negatives(self, source: str) -> dict[str, list[str]]:
        if source == "collection":
            available = [name for name in self.languages if self.collection.has("queries", name)]
            found = {query: ids for name in available for query, ids in self.collection.negatives(name).items()}
        else:
            found = {query: ranking(scores)[:_DEPTH] for query, scores in read_run(source).items()}
        if not any(found.keys() & relevant.keys() for relevant in self.texts.relevant.values()):
            raise UserError(f"data.hard_negatives is {source}: it has none for any training query")
        return found

    def train_dataloader(self) -> ResumableLoader:
        """Batches of this rank; `trainer.use_distributed_sampler` must be False, for the sampler shards itself."""
        trainer = self.trainer
        assert trainer is not None, "the trainer attaches itself before it asks for loaders"
        tokenizer = cast(TextTokenizer, trainer.lightning_module.tokenizer)
        sampler = self.sampler(tokenizer, trainer.global_rank, trainer.world_size)
        batches = TrainingBatches(self.texts, tokenizer, self.cloze_share, self.passage_words, self.negatives)
        progress = trainer.fit_loop.epoch_loop.batch_progress
        return ResumableLoader(batches, sampler, self.workers, lambda: progress.current.ready)

    def piece_idf(self, tokenizer: TextTokenizer) -> tuple[torch.Tensor, torch.Tensor]:
        """Inverse document frequencies of pieces over the bitext's English and foreign sides, (vocabulary,) each."""
        texts = self.texts

        def frequencies(side: int) -> torch.Tensor:
            sentences = (ids for name in texts.bitext for ids in texts.bitext_pieces(tokenizer, name, side))
            return inverse_document_frequencies(sentences, len(tokenizer.tokenizer))

        return frequencies(0), frequencies(1)

    def sampler(self, tokenizer: TextTokenizer, rank: int = 0, world_size: int = 1) -> HybridBatchSampler:
        """The batch plans of one rank; after `setup`.

        From then on `texts` is without pairs that have a side of which the tokenizer leaves nothing.

        Raises:
            UserError: no pair of a language is left.
        """
        return HybridBatchSampler(
            self.texts.rankings(tokenizer, None if self.cloze_share is None else self.passage_words),
            self._bitext_lengths(tokenizer),
            mode=self.mode,
            alpha=self.alpha,
            language_temperature=self.language_temperature,
            bitext_rate=self.bitext_rate,
            english_share=self.english_share,
            batch_size=self.batch_size,
            seed=self.seed,
            rank=rank,
            world_size=world_size,
        )

    def _bitext_lengths(self, tokenizer: TextTokenizer) -> dict[str, NDArray[np.int32]]:
        """Of the pairs that can be trained on, the only ones that `texts` has from then on."""
        lengths, kept = self.texts.bitext_lengths(tokenizer), {}
        for language, sides in lengths.items():
            if not (blank := np.flatnonzero((sides == 0).any(axis=1))).size:
                continue
            place = self.collection.pair_place(language, self.texts.pair_position(language, int(blank[0])))
            said = (
                f"{place}: the encoder's tokenizer leaves nothing of a side; so it is with {len(blank)} of {len(sides)}"
            )
            if len(blank) == len(sides):
                raise UserError(f"{said} pairs in {language!r}: none is left to train on")
            rank_zero_only(print)(f"{said} pairs in {language!r}, which are left out", flush=True)
            kept[language] = np.flatnonzero((sides > 0).all(axis=1))
        self.texts = self.texts.draw(kept)
        return {language: sides[kept[language]] if language in kept else sides for language, sides in lengths.items()}
