"""Damage a reference bundle in thousands of ways: library, standalone verifier and page reject each, and agree."""

import collections
import types
from functools import lru_cache

import pytest
from browser import Chromium, chromium_there
from bundle_maker import Reference
from mutants import COUNTS, corpus

from tradeworthy.kernel.journal import verify as journal_verify
from tradeworthy.operations.evidence import page_data
from tradeworthy.operations.evidence.canonical import Malformed
from tradeworthy.operations.evidence.shipped import verifier
from tradeworthy.operations.evidence.verify import verify_files

SAMPLE_EVERY = 29


def standalone():
    """Return the shipped file as a module, its slow signature check remembered: the same question, the same answer."""
    module = types.ModuleType("verify_bundle_shipped")
    exec(compile(verifier(), "verify_bundle.py", "exec"), module.__dict__)  # the file as it is shipped
    module.remembered = lru_cache(maxsize=None)(module.ed25519_valid)
    return module


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return Reference(tmp_path_factory.mktemp("reference"))


@pytest.fixture(scope="module")
def shipped():
    return standalone()


def told(verdict):
    return sorted((one.severity, one.code, one.where) for one in verdict.findings)


def by_library(mutant, base):
    if mutant.page is None:
        return verify_files(mutant.files(base), mutant.ask)
    page = page_data.contents_of(mutant.page)
    return verify_files(page.files, mutant.ask._replace(template_sha256=page.template_sha256, omitted=page.omitted))


def by_shipped(shipped, mutant, base):
    ask = shipped.Ask(*mutant.ask)
    if mutant.page is None:
        return shipped.judge(shipped.FileMap(mutant.files(base)), ask, shipped.remembered)
    page = shipped.contents_of(mutant.page)
    ask = ask._replace(template_sha256=page.template_sha256, omitted=page.omitted)
    return shipped.judge(shipped.FileMap(page.files), ask, shipped.remembered)


def attempt(judge, malformed):
    try:
        verdict = judge()
    except malformed:
        return "invalid", [("fail", "page.malformed", "bundle.html")]
    return verdict.verdict, told(verdict)


def survivors_of(reference, shipped, *, every):
    """Return how many were tried by class, and each that was not rejected with a fitting code by both alike."""
    base = reference.files()
    tried, survivors = collections.Counter(), []
    for mutant in corpus(reference, every=every):
        first = attempt(lambda mutant=mutant: by_library(mutant, base), Malformed)
        second = attempt(lambda mutant=mutant: by_shipped(shipped, mutant, base), shipped.Malformed)
        tried[mutant.kind] += 1
        codes = {code for _, code, _ in first[1]}
        if first != second or first[0] != "invalid" or not codes & mutant.codes:
            survivors.append((mutant.name, first[0], sorted(codes), sorted(mutant.codes), first == second))
    return tried, survivors


def test_the_untouched_bundle_is_verified_with_its_waiver_by_both(reference, shipped):
    files = reference.files()
    own = verify_files(files, reference.ask)
    other = shipped.judge(shipped.FileMap(files), shipped.Ask(*reference.ask), shipped.ed25519_valid)
    assert (own.verdict, own.exit_code) == ("verified_with_waivers", 1)
    assert (other.verdict, told(other)) == (own.verdict, told(own))
    assert {one.code for one in own.findings} == {"waiver.active"}


def test_a_sample_of_every_class_of_damage_is_rejected_with_its_code_by_both(reference, shipped):
    tried, survivors = survivors_of(reference, shipped, every=SAMPLE_EVERY)
    assert survivors == []
    assert tried.keys() == COUNTS.keys()
    assert sum(tried.values()) >= 200


def test_the_shipped_verifier_holds_the_same_signature_check_as_the_journal(shipped):
    import inspect

    for name in ("ed25519_valid", "_decompress", "_add", "_multiply"):
        assert inspect.getsource(getattr(journal_verify, name)).strip() in verifier().decode()


@pytest.mark.proof
def test_no_mutant_of_the_whole_corpus_survives(reference, shipped):
    tried, survivors = survivors_of(reference, shipped, every=1)
    print(f"\n{sum(tried.values())} mutants: {dict(tried)}")
    assert survivors == []
    assert tried == COUNTS


def page_and_library(reference, *, every, script=False):
    """Return how many mutants the page judged, and where it and the library differ."""
    base = reference.files()
    mutants = [one for one in corpus(reference, every=every) if not one.template]
    with Chromium() as chromium:
        answers = chromium.judge(base, mutants, script=script)
    differ = []
    for mutant, answer in zip(mutants, answers, strict=True):
        expected = attempt(lambda mutant=mutant: by_library(mutant, base), Malformed)
        if (answer["verdict"], sorted(map(tuple, answer["findings"]))) != expected:
            differ.append((mutant.name, answer, expected))
    return len(mutants), differ


@pytest.mark.skipif(not chromium_there(), reason="no chromium on this machine")
@pytest.mark.proof
def test_the_page_gives_the_verdict_of_the_library_on_every_mutant(reference):
    count, differ = page_and_library(reference, every=1)
    print(f"\n{count} mutants judged by the page")
    assert differ == []
    assert count >= 5_000


@pytest.mark.skipif(not chromium_there(), reason="no chromium on this machine")
@pytest.mark.proof
def test_the_page_gives_the_same_verdicts_by_its_own_script_where_the_browser_has_no_cryptography(reference):
    count, differ = page_and_library(reference, every=400, script=True)
    assert differ == []
    assert count >= 12
