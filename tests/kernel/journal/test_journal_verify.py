"""The verifier finds every kind of damage, at its seq."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import tradeworthy.kernel.journal.verify as module
from tradeworthy.kernel.clock import EventClock
from tradeworthy.kernel.journal import Journal, JournalPolicy, LocalSigner
from tradeworthy.kernel.journal.verify import GENESIS, batch_hash, ed25519_valid, line_checks, seal_line, verify

SCRIPT = Path(module.__file__)


def _segment(directory: Path) -> Path:
    [path] = directory.glob("journal-*.jsonl")
    return path


def _rehash(lines: list[bytes]) -> bytes:
    """Seal all batches again, as a forger without the key can."""
    out, batch, head, first = [lines[0]], [], GENESIS, 1
    for line in lines[1:]:
        if not line.startswith(b'{"seal"'):
            batch.append(line)
            continue
        body, last = b"".join(batch), first + len(batch) - 1
        digest = batch_hash(head, first, last, body)
        out += [body, seal_line(first, last, head, digest, 1, line_checks(body))]
        head, first, batch = digest, last + 1, []
    return b"".join(out)


@pytest.fixture
def signed(tmp_path, quote_event):
    """A journal of 1 000 events with a checkpoint each 100, and the public key."""
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    policy = JournalPolicy(batch_events_max=50, commit_interval_ns=None, checkpoint_events=100)
    journal = Journal.open(tmp_path / "signed", clock=EventClock(1), policy=policy, signer=LocalSigner(key))
    journal.append_many([quote_event(n) for n in range(1, 1_001)])
    journal.close()
    return tmp_path / "signed", key.public_key().public_bytes_raw()


def test_an_intact_journal_verifies_as_a_plain_script(signed, tmp_path):
    directory, key = signed
    (tmp_path / "key.hex").write_text(key.hex())
    command = [sys.executable, "-I", "-S", str(SCRIPT), str(directory), "--checkpoint", str(directory)]
    command += ["--public-key", str(tmp_path / "key.hex")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert "intact: 1000 events" in run.stdout
    assert "signed" in run.stdout
    nothing = subprocess.run([sys.executable, str(SCRIPT), str(tmp_path / "no")], capture_output=True, check=False)
    assert nothing.returncode == 3


def _mutations(lines: list[bytes], rng: random.Random) -> tuple[str, list[bytes], range]:
    """Return a kind of damage, the damaged lines, and the seqs that count as exact."""
    events = [i for i, line in enumerate(lines) if line.startswith(b'{"seq"')]
    at = rng.choice(events)
    seq = int(lines[at][7 : lines[at].index(b",")])
    kind = rng.choice(["flip", "delete", "duplicate", "insert", "swap", "truncate", "seal", "header"])
    out = list(lines)
    if kind == "flip":
        line = bytearray(out[at])
        line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
        out[at] = bytes(line)
        return kind, out, range(seq, seq + 1)
    if kind == "delete":
        del out[at]
        return kind, out, range(seq, seq + 1)
    if kind == "duplicate":
        out.insert(at, out[at])
        return kind, out, range(seq + 1, seq + 2)
    if kind == "insert":
        out.insert(at, out[at].replace(b'"bid":100', b'"bid":999'))
        return kind, out, range(seq, seq + 1)
    if kind == "swap":
        other = rng.choice([i for i in events if i != at])
        out[at], out[other] = out[other], out[at]
        low = min(seq, int(lines[other][7 : lines[other].index(b",")]))
        return kind, out, range(low, low + 1)
    if kind == "truncate":
        cut = rng.randrange(1, len(out[at]))
        return kind, [*out[:at], out[at][:cut]], range(seq, seq + 1)
    seals = [i for i, line in enumerate(lines) if line.startswith(b'{"seal"')] if kind == "seal" else [0]
    target = rng.choice(seals)
    line = bytearray(out[target])
    line[rng.randrange(len(line))] ^= 1 << rng.randrange(8)
    out[target] = bytes(line)
    if kind == "header":
        return kind, out, range(1, 2)
    first, last = (int(lines[target].split(b'"%s":' % name)[1].split(b",")[0]) for name in (b"first", b"last"))
    return kind, out, range(first, last + 2)


def _locate_random_damage(directory: Path, rounds: int) -> dict[str, int]:
    rng = random.Random(20240229)
    lines = _segment(directory).read_bytes().splitlines(keepends=True)
    found: dict[str, int] = {}
    for _ in range(rounds):
        kind, damaged, exact = _mutations(lines, rng)
        _segment(directory).write_bytes(b"".join(damaged))
        result = verify(directory)
        assert not result.ok, kind
        assert result.first_bad_seq in exact, (kind, result, exact)
        found[kind] = found.get(kind, 0) + 1
    return found


def test_random_damage_is_found_at_its_seq(filled):
    found = _locate_random_damage(filled(1_000, 50), 200)
    assert set(found) == {"flip", "delete", "duplicate", "insert", "swap", "truncate", "seal", "header"}


@pytest.mark.proof
def test_two_thousand_random_damages_are_found_at_their_seq(filled):
    found = _locate_random_damage(filled(1_000, 50), 2_000)
    print(f"\ndamages: {sum(found.values())}, located: {sum(found.values())}, by kind: {dict(sorted(found.items()))}")


def _damage_each_line(directory: Path, step: int) -> int:
    """Change one byte of one line after another; return how many were found at their seq."""
    lines = _segment(directory).read_bytes().splitlines(keepends=True)
    found = seq = 0
    for at, line in enumerate(lines):
        seq += line.startswith(b'{"seq"')
        if at % step:
            continue
        middle = len(line) // 2
        damaged = line[:middle] + bytes([line[middle] ^ 1]) + line[middle + 1 :]
        _segment(directory).write_bytes(b"".join([*lines[:at], damaged, *lines[at + 1 :]]))
        result = verify(directory)
        exact = {seq} if line.startswith(b'{"seq"') else {seq + 1, max(1, seq - 49)}
        assert not result.ok
        assert result.first_bad_seq in exact, (at, result)
        found += 1
    return found


def test_damage_in_any_line_is_found_at_its_seq(filled):
    assert _damage_each_line(filled(1_000, 50), 17) == 61


@pytest.mark.proof
def test_damage_in_each_line_of_a_thousand_events_is_found_at_its_seq(filled):
    found = _damage_each_line(filled(1_000, 50), 1)
    print(f"\nlines damaged one by one: {found}, located: {found}")


@pytest.mark.proof
def test_a_journal_sealed_again_from_each_event_on_is_found_at_it(signed):
    directory, key = signed
    good = _segment(directory).read_bytes()
    for seq in range(1, 1_001):
        _change_and_rehash(directory, seq)
        assert verify(directory, checkpoint=directory, public_key=key).first_bad_seq == seq
        _segment(directory).write_bytes(good)
    print("\nsealed again from each of 1,000 events: located 1,000")


def _change_and_rehash(directory: Path, seq: int) -> None:
    lines = _segment(directory).read_bytes().splitlines(keepends=True)
    lines = [line.replace(b'"bid":100', b'"bid":7') if line.startswith(b'{"seq":%d,' % seq) else line for line in lines]
    _segment(directory).write_bytes(_rehash(lines))


@pytest.mark.parametrize("seq", [1, 50, 51, 137, 1_000])
def test_a_rehashed_journal_is_consistent_alone_and_found_by_the_checkpoints(signed, seq):
    directory, key = signed
    _change_and_rehash(directory, seq)
    assert verify(directory).ok
    assert verify(directory, checkpoint=directory, public_key=key).first_bad_seq == seq


def test_a_truncation_at_a_seal_is_found_by_checkpoint_or_by_head_and_count(signed):
    directory, key = signed
    head = verify(directory).head
    data = _segment(directory).read_bytes()
    seals = [i for i in range(len(data)) if data.startswith(b'\n{"seal"', i)]
    _segment(directory).write_bytes(data[: data.index(b"\n", seals[-2] + 1) + 1])
    assert verify(directory) == (True, 950, verify(directory).head, None, "")
    last = max(directory.glob("checkpoint-*.dsse.json"))
    assert verify(directory, checkpoint=last, public_key=key).first_bad_seq == 951
    assert verify(directory, head=head, count=1_000).first_bad_seq == 951


def test_a_checkpoint_of_another_key_cannot_be_trusted(signed, filled):
    directory, _ = signed
    other = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    with pytest.raises(module.CannotJudge, match="no signature fits"):
        verify(directory, checkpoint=directory, public_key=other)


def test_signatures_hold_for_their_message_only():
    for seed in range(5):
        key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public, signature = key.public_key().public_bytes_raw(), key.sign(b"message")
        assert ed25519_valid(public, b"message", signature)
        assert not ed25519_valid(public, b"messagf", signature)
        assert not ed25519_valid(public, b"message", bytes([signature[0] ^ 1]) + signature[1:])
