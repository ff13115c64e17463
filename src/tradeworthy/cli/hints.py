"""What a person who mistyped is told next: the help of the verb that was meant, and where a word stands."""

from collections.abc import Iterator, Sequence

from cyclopts import App

DEPTH_MAX = 4


def help_of(app: App, words: Sequence[str]) -> str:
    """Return the call that shows the help of the deepest verb that the words name."""
    chain, _, _ = app.parse_commands(list(words))
    return " ".join((*app.name, *chain, "--help"))


def elsewhere(app: App, words: Sequence[str]) -> tuple[str, ...]:
    """Return the verbs of another room that have the name of the word that is unknown here."""
    _, _, rest = app.parse_commands(list(words))
    return tuple(verb for verb in _verbs(app, app.name[0]) if rest and verb.rpartition(" ")[2] == rest[0])


def _verbs(app: App, at: str, depth: int = DEPTH_MAX) -> Iterator[str]:
    for name in app:
        if not name.startswith("-"):
            yield f"{at} {name}"
            if depth > 1:
                yield from _verbs(app[name], f"{at} {name}", depth - 1)
