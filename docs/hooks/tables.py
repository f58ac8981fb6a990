"""Tables in Markdown."""

import re


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Nothing where there are no rows."""
    if not rows:
        return ""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [heads, ["---"] * len(heads), *rows])


def cell(says: str) -> str:
    """Plain text for a cell; reStructuredText, which Lightning's docstrings are in, too."""
    says = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", says).replace("``", "`")
    return re.sub(r"`[^`]*`|[|<*]", lambda m: m[0] if len(m[0]) > 1 else f"&#{ord(m[0])};", " ".join(says.split()))


def sentence(says: str) -> str:
    """With a capital letter and a full stop."""
    return f"{says[:1].upper()}{says[1:].rstrip('.')}." if says else ""
