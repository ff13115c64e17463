"""Put odd values at random places of every document: library, shipped file and page find the same and never crash."""

import json
from random import Random

import pytest
from browser import Chromium, chromium_there
from bundle_maker import Reference
from mutants import Mutant
from test_mutation_corpus import attempt, by_library, by_shipped, standalone

from tradeworthy.operations.evidence.canonical import Malformed

ODD = (
    None, True, False, 0, 1, -1, 2**53 - 1, 2**53, 2**64, 1.5, 1e300, "", "x", "\u00e9", "\u2028", "\x7f", "\ud800",
    "0" * 64, "2026-02-30T00:00:00Z", "2026-03-04T24:00:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z", [], {},
    [[]], {"a": 1}, "../x", "A" * 70_000,
)  # fmt: skip
SAMPLE, WHOLE = 60, 1_500


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return Reference(tmp_path_factory.mktemp("odd"))


def places_in(document, path=()):
    """Yield the path of every value below the top."""
    if not isinstance(document, dict | list):
        return
    for key, value in document.items() if isinstance(document, dict) else enumerate(document):
        yield (*path, key)
        yield from places_in(value, (*path, key))


def with_odd_value(data, random):
    """Return the document with an odd value, or without a key, at a random place, written as nearly canonical."""
    document = json.loads(data)
    *way, last = random.choice(list(places_in(document)))
    inside = document
    for step in way:
        inside = inside[step]
    if isinstance(inside, dict) and random.random() < 0.15:
        del inside[last]
    else:
        inside[last] = random.choice(ODD)
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=random.random() < 0.3)
    return (text + "\n").encode("utf-8", "surrogatepass")


def odd_mutants(reference, count):
    base = reference.files()
    names = [name for name in sorted(base) if name.endswith(".json") and not name.startswith("objects/")]
    for number in range(count):
        random = Random(number)
        if number % 4 == 3:
            trust = with_odd_value(reference.trust.encoded(), random)
            yield Mutant("odd", f"trust:{number}", {}, reference.ask._replace(trust=trust), frozenset())
        else:
            name = random.choice(names)
            changes = {name: with_odd_value(base[name], random)}
            yield Mutant("odd", f"{name}:{number}", changes, reference.ask, frozenset())


def both(reference, count):
    """Return each mutant with the library's findings, after the shipped verifier found the same."""
    base, shipped, answers = reference.files(), standalone(), []
    for mutant in odd_mutants(reference, count):
        own = attempt(lambda mutant=mutant: by_library(mutant, base), Malformed)
        assert own == attempt(lambda mutant=mutant: by_shipped(shipped, mutant, base), shipped.Malformed), mutant.name
        answers.append((mutant, own))
    return answers


def test_odd_values_are_findings_and_never_crashes_alike_in_both(reference):
    answers = both(reference, SAMPLE)
    assert sum(own[0] == "invalid" for _, own in answers) > SAMPLE * 0.8


@pytest.mark.skipif(not chromium_there(), reason="no chromium on this machine")
@pytest.mark.proof
def test_the_page_finds_the_same_in_odd_documents(reference):
    answers = both(reference, WHOLE)
    with Chromium() as chromium:
        pages = chromium.judge(reference.files(), [mutant for mutant, _ in answers])
    differ = [
        (mutant.name, page, own) for (mutant, own), page in zip(answers, pages, strict=True)
        if (page["verdict"], sorted(map(tuple, page["findings"]))) != own
    ]  # fmt: skip
    print(f"\n{len(answers)} odd documents")
    assert differ == []
