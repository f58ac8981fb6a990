"""Whether PyLate reads the token vectors that clir-ot writes, from the same encoder folder.

PyLate 1.6 pins older versions of sentence-transformers and transformers than clir-ot has: each runs in an environment
of its own. First here, which writes the vectors of some texts into a file:

    .venv/bin/python benchmarks/pylate_loads.py write runs/starter/teacher/encoder vectors.npz

Then there, which loads the folder with `pylate.models.ColBERT`, encodes the same texts and compares:

    python3 -m venv pylate-venv
    pylate-venv/bin/pip install pylate
    pylate-venv/bin/python benchmarks/pylate_loads.py compare runs/starter/teacher/encoder vectors.npz

`pip install pylate` brings torch with CUDA on Linux, for its index. Encoding does not need that; without a GPU:

    pylate-venv/bin/pip install torch==2.13.0 sentence-transformers==5.3.0 'transformers<=5.3.0' datasets accelerate
    pylate-venv/bin/pip install --no-deps pylate==1.6.0

with pip pointed at PyTorch's index of CPU wheels (see README.md). The second prints a table: for queries and for
documents the number of texts and of token vectors, and the largest difference of a coordinate; then whether MaxSim
ranks the documents alike. It ends with status 1 where a text has another number of vectors, or a difference is above
1e-5.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

TOLERANCE = 1e-5
# Punctuation, scripts, accents, one letter, and texts longer than any length. PyLate's tokenizer strips white space
# from the ends of a text, clir-ot's does not: an empty query, which is `query: `, has one token more here.
_TOPICS = {
    "How do I remove a resource?": "To remove resources from the channel, select them and press Remove.",
    "Yọ àwọn ohun èlò kúrò": "Remove resources (all of them!) from this device.",
    "Ondoa rasilimali, tafadhali…": "The resource is gone; it can be restored within 30 days.",
    "संसाधने काढून टाका": "Learners cannot see resources that were removed.",
    "Wie ändere ich mein Kennwort?": "Change your password under «Profile». A password has 8 characters or more.",
    "mot de passe " * 60: "Forgotten passwords are reset by the coach. " * 60,
    "x": "Untitled",
}
KINDS = {"queries": list(_TOPICS), "documents": list(_TOPICS.values())}


def main() -> None:
    """`write` or `compare`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=["write", "compare"])
    parser.add_argument("encoder", type=Path, help="folder of a trained encoder")
    parser.add_argument("vectors", type=Path, help=".npz file")
    arguments = parser.parse_args()
    if arguments.action == "write":
        np.savez(arguments.vectors, **written(arguments.encoder))
        print(f"vectors: {arguments.vectors}")
        return
    with np.load(arguments.vectors) as file:
        sys.exit(compare(dict(file), encoded(arguments.encoder)))


def written(folder: Path) -> dict[str, np.ndarray]:
    """`{"queries.0": (N, D), ...}`, encoded by clir-ot; a text at a time, so that no padding is in play."""
    import torch

    from clir_ot import TokenEncoder

    encoder = TokenEncoder.from_pretrained(folder).eval()
    found = {}
    for kind, texts in KINDS.items():
        tokenize = getattr(encoder.tokenizer, kind)
        for i, text in enumerate(texts):
            with torch.no_grad():
                vectors, mask = encoder.vectors(tokenize([text]))
            found[f"{kind}.{i}"] = vectors[0][mask[0]].numpy()
    return found


def encoded(folder: Path) -> dict[str, np.ndarray]:
    """The same by PyLate, in one padded batch, as it is used."""
    from pylate import models

    model = models.ColBERT(str(folder), device="cpu")
    found = {}
    for kind, texts in KINDS.items():
        is_query = kind == "queries"
        name = "query" if is_query else "document"
        vectors = model.encode(texts, is_query=is_query, prompt_name=name, show_progress_bar=False)
        found |= {f"{kind}.{i}": np.asarray(rows) for i, rows in enumerate(vectors)}
    return found


def compare(ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> int:
    """Print the table; 0 where all is the same."""
    if changed := [name for name in ours if ours[name].shape != theirs[name].shape]:
        name = changed[0]
        print(f"{name}: clir-ot has vectors {ours[name].shape}, PyLate {theirs[name].shape}")
        return 1
    print("| texts     | n | vectors | largest difference |\n|-----------|---|---------|--------------------|")
    worst = 0.0
    for kind, texts in KINDS.items():
        names = [f"{kind}.{i}" for i in range(len(texts))]
        difference = max(float(np.abs(ours[name] - theirs[name]).max()) for name in names)
        count = sum(len(ours[name]) for name in names)
        print(f"| {kind:9} | {len(texts)} | {count:7} | {difference:18.1e} |")
        worst = max(worst, difference)
    alike = np.array_equal(_ranking(ours), _ranking(theirs))
    print(f"ranking of the documents for every query: {'the same' if alike else 'another one'}")
    return int(worst > TOLERANCE or not alike)


def _ranking(vectors: dict[str, np.ndarray]) -> np.ndarray:
    queries, documents = ([vectors[f"{kind}.{i}"] for i in range(len(KINDS[kind]))] for kind in KINDS)
    return np.array([np.argsort([-_maxsim(query, document) for document in documents]) for query in queries])


def _maxsim(query: np.ndarray, document: np.ndarray) -> float:
    return float((query @ document.T).max(axis=1).mean())


if __name__ == "__main__":
    main()
