"""One line from what jsonargparse and Lightning say of a configuration that cannot be one."""

import re

from clir_ot.errors import UserError

_KEY = re.compile(r'Parser key "([^"]+)":')
_EXPECTED = re.compile(r"Expected an? (.+?)(?:\. Got value: (.*))?$", re.MULTILINE)
_GIVEN = re.compile(r"^ *Given value: (?!NestedArg)(.*)$", re.MULTILINE)
_REQUIRED = re.compile(r"the following arguments are required: (.+)$", re.MULTILINE)
_LITERAL = re.compile(r"typing\.Literal\[(.*)\]")
_PLAIN = {"<class 'float'>": "a number", "<class 'int'>": "a whole number", "<class 'bool'>": "true or false"}
_PLAIN |= {"<class 'str'>": "a text"}
# What jsonargparse puts around the cause, line by line.
_FRAME = (
    "Does not validate",
    "Subtypes:",
    "Errors:",
    "- Problem with",
    "- Expected a <class 'NoneType'>",
    "Given value",
)


def as_user_error(error: BaseException) -> UserError:
    """Our own error, where that is the cause; else key, value and what was expected; else what was said, in a line."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, UserError):
            return cause
        cause = cause.__cause__
    said = str(error)
    if missing := _REQUIRED.search(said):
        within = "".join(f"{key}." for key in _KEY.findall(said))
        names = [f"{within}{name}" for name in missing[1].split(", ")]
        return UserError(f"not set: {', '.join(names)}; say it as in --{names[0]} VALUE, or in the file of --config")
    lines = [line.strip() for line in said.splitlines()]
    left = [line.removeprefix("- ").rstrip(":") for line in lines if line and not line.startswith(_FRAME)]
    expected = [kind for kind, _ in _EXPECTED.findall(said) if "NoneType" not in kind]
    given = _GIVEN.findall(said) or [value for _, value in _EXPECTED.findall(said) if value]
    if expected and given and all(line.startswith(("Parser key", "Expected")) for line in left):
        kinds = dict.fromkeys(_PLAIN.get(kind, _LITERAL.sub(r"one of \1", kind)) for kind in expected)
        value = "not set" if given[-1] == "None" else given[-1]
        return UserError(f"{'.'.join(_KEY.findall(said))} is {value}; expected {' or '.join(kinds)}")
    return UserError(": ".join(left).replace("Parser key ", ""))
