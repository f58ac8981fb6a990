"""Sentences in many languages, encoded once, for the benchmarks of search.

    python benchmarks/encoded_sentences.py --encoder runs/starter/teacher/encoder --collection xquad-r \
        --more ntrex/*.txt --vectors vectors

Writes a file of float16 vectors for the queries and the documents of every language of the collection (those of
`clir-ot collection build xquad-r`), and for every further file of a sentence a line. What is there is not made again.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from clir_ot import Collection, TokenEncoder
from clir_ot.collections.trec import Qrels
from clir_ot.retrieval.codecs import new_codec
from clir_ot.retrieval.index_folder import Facts, StoredIndex, open_folder, write_codec
from clir_ot.retrieval.token_index import TokenIndex, encode, merge

_SHARD = 4096


def load(folder: Path, queries_a_language: int = 30) -> tuple[TokenIndex, TokenIndex, Qrels]:
    """Some queries of every language, all documents in one pool, and what is relevant: the ids are `language:_id`."""
    judged = json.loads((folder / "qrels.json").read_text())
    # The collection's files name each language's documents apart, so only queries need their language before them.
    documents = merge([_read(path) for path in sorted([*folder.glob("d.*.npz"), *folder.glob("n.*.npz")])])
    known, found, qrels = set(documents.ids), [], {}
    for language, grades in judged.items():
        queries = _read(folder / f"q.{language}.npz")
        names = [name for name in queries.ids if any(d in known for d in grades.get(name, {}))][:queries_a_language]
        chosen = queries.select(names)
        found.append(TokenIndex([f"{language}:{name}" for name in names], chosen.lengths, chosen.vectors))
        qrels |= {f"{language}:{name}": grades[name] for name in names}
    return merge(found), documents, qrels


def write_index(folder: Path, index: TokenIndex, precision: str) -> StoredIndex:
    """Encoded texts as an index folder; one that is there is read."""
    if (folder / "index.json").is_file():
        return open_folder(folder)
    folder.mkdir(parents=True)
    few = torch.linspace(0, len(index.vectors) - 1, min(len(index.vectors), 2**19)).long()
    codec = new_codec(precision, lambda: (index.vectors[few], len(index.vectors)))
    write_codec(folder, codec)
    facts = Facts("benchmark", "", "", "mul", precision, len(index), index.dimensions, _SHARD)
    made = StoredIndex(folder, facts, codec)
    for number in range(len(made.paths())):
        made.write(number, index.select(index.ids[number * _SHARD : (number + 1) * _SHARD]))
    facts.write(folder)
    return open_folder(folder)


def _read(path: Path) -> TokenIndex:
    found = np.load(path)
    vectors = torch.from_numpy(found["vectors"]).float()
    return TokenIndex([str(name) for name in found["ids"]], torch.from_numpy(found["lengths"]), vectors)


def main() -> None:
    """Parse the command line and encode."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="text files, a sentence a line")
    parser.add_argument("--vectors", type=Path, required=True, help="folder to write")
    parser.add_argument("--bfloat16", action="store_true", help="faster on processors that compute in it, else slower")
    arguments = parser.parse_args()
    arguments.vectors.mkdir(exist_ok=True)
    encoder, collection = TokenEncoder.from_pretrained(arguments.encoder), Collection(arguments.collection)
    languages = collection.query_languages
    judged = {language: collection.judged("test", language, None) for language in languages}
    qrels = {language: grades for language, (_, grades) in judged.items()}
    (arguments.vectors / "qrels.json").write_text(json.dumps(qrels))
    work = {f"q.{language}": (encoder.tokenizer.queries, texts) for language, (texts, _) in judged.items()}
    work |= {f"d.{language}": (encoder.tokenizer.documents, collection.documents(language)) for language in languages}
    for path in arguments.more:
        lines = path.read_text(encoding="utf-8").splitlines()
        texts = {f"{path.stem}:{number}": line for number, line in enumerate(lines) if line.strip()}
        work[f"n.{path.stem}"] = encoder.tokenizer.documents, texts
    for name, (tokenize, texts) in work.items():
        path = arguments.vectors / f"{name}.npz"
        if path.exists():
            continue
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
            index = encode(encoder, tokenize, texts)
        half = index.vectors.half().numpy()
        temporary = path.with_suffix(".half.npz")
        np.savez(temporary, ids=np.array(index.ids), lengths=index.lengths.numpy(), vectors=half)
        temporary.rename(path)
        print(f"{name}: {len(index)} texts, {len(half)} tokens, {time.process_time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
