"""Training passages for a query that is itself part of its document."""


def inverse_cloze(document: str, query: str, *, words: int, leave_out: bool) -> str:
    """The surroundings of `query` in `document`: the inverse cloze task (Lee, Chang & Toutanova 2019, section 4).

    Args:
        document: whole text.
        query: looked for in `document` as it stands; its first occurrence counts.
        words: at most this many words of surroundings, centred on the query.
        leave_out: take the query itself out, so that matching its own words is no way to find the passage.

    Returns:
        The passage; with the query in it where there is nothing else. The beginning of `document`, `words` long,
        where the query does not occur.
    """
    before_text, found, after_text = document.partition(query)
    if not found:
        return " ".join(document.split()[:words])
    before, after = before_text.split(), after_text.split()
    take_after = min(len(after), max(words // 2, words - len(before)))
    take_before = min(len(before), words - take_after)
    left, right = before[len(before) - take_before :], after[:take_after]
    middle = [] if leave_out and (left or right) else query.split()
    return " ".join([*left, *middle, *right])
