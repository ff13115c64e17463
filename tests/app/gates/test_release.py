"""A release is measured, signed and judged: a changed byte of any part is named, and go needs four sealed proofs."""

import json
import shutil
from pathlib import Path

import msgspec
import pytest
from bundle_maker import key_of, trust_of

from tradeworthy.cli.main import call
from tradeworthy.kernel.report import Check, Report, canonical
from tradeworthy.kernel.severity import Severity
from tradeworthy.operations.dry_run.release_manifest import read_release
from tradeworthy.operations.evidence.release import Proof
from tradeworthy.operations.evidence.trust import write_trust

ROOT = Path(__file__).resolve().parents[3]
AT = "2026-12-01T00:00:00Z"


def report(severity=Severity.OK):
    return canonical(Report(
        name="drill", title="Drill", sources=(), checks=(Check("drill.flat", severity, "0", "0"),)
    ))  # fmt: skip


class Scene:
    """A configuration, a wheel, a lock file, schemas and keys in a folder of their own."""

    def __init__(self, place):
        self.place = place
        shutil.copy(ROOT / "config" / "paper.toml", place / "desk.toml")
        (place / "desk.whl").write_bytes(b"wheel")
        (place / "lock.txt").write_text("msgspec==1 --hash=sha256:0\n")
        (place / "schemas").mkdir()
        (place / "schemas" / "a.json").write_text("{}")
        (place / "builder.key").write_text(key_of("builder-host").private_bytes_raw().hex())
        (place / "builder.key").chmod(0o600)
        write_trust(place / "trust.json", trust_of())
        self.manifest = place / "release.json"

    def parts(self):
        return ["--image", str(self.place / "desk.whl"), "--lock", str(self.place / "lock.txt"), "--schemas",
                str(self.place / "schemas")]  # fmt: skip

    def name(self):
        return call([
            "release", "manifest", str(self.place / "desk.toml"), "--release", "r1", "--author", "alma", *self.parts(),
            "--output", str(self.manifest), "--key", str(self.place / "builder.key"),
        ])  # fmt: skip

    def seal(self, proof, severity=Severity.OK):
        (self.place / "report.json").write_bytes(report(severity))
        return call([
            "evidence", "seal", str(self.place / "store"), str(self.place / "report.json"), "--requirement", str(proof),
            "--release", str(self.manifest), "--key", str(self.place / "builder.key"), "--environment", "paper",
        ])  # fmt: skip

    def judge(self):
        return call([
            "release", "judge", str(self.manifest), str(self.place / "desk.toml"), *self.parts(), "--store",
            str(self.place / "store"), "--trust", str(self.place / "trust.json"), "--at", AT,
        ])  # fmt: skip


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    assert made.name() == 0
    return made


def proved(scene):
    for proof in Proof:
        assert scene.seal(proof) == 0
    return scene


def failures(capsys):
    return [line.split(": ")[0] + " " + line.split(": ")[1] for line in capsys.readouterr().out.splitlines()
            if line.startswith("fail")]  # fmt: skip


def test_a_measured_signed_and_proved_release_goes(scene, capsys):
    assert proved(scene).judge() == 0
    assert "go     r1, signed by builder-host" in capsys.readouterr().out
    digests = read_release(scene.manifest)[0].digests
    assert None not in msgspec.structs.asdict(digests).values()


@pytest.mark.parametrize(("file", "part"), [
    ("desk.whl", "image"), ("lock.txt", "lock"), ("schemas/a.json", "schemas"),
])  # fmt: skip
def test_a_changed_byte_of_a_file_is_named(scene, capsys, file, part):
    proved(scene)
    path = scene.place / file
    path.write_bytes(path.read_bytes() + b" ")
    assert scene.judge() == 2
    assert failures(capsys) == [f"fail  release.changed {part}"]


def test_a_changed_configuration_is_named(scene, capsys):
    proved(scene)
    path = scene.place / "desk.toml"
    path.write_text(path.read_text().replace("seed = ", "seed = 1", 1))
    assert scene.judge() == 2
    assert failures(capsys) == ["fail  release.changed configuration"]


def test_a_proof_that_failed_or_is_not_there_is_named(scene, capsys):
    for proof in (Proof.START_UP, Proof.MONITORING, Proof.ALERT_DELIVERY):
        scene.seal(proof, Severity.FAIL if proof is Proof.MONITORING else Severity.OK)
    capsys.readouterr()
    assert scene.judge() == 2
    assert failures(capsys) == [
        "fail  release.proof hard_stop_drill is not proved with this release",
        "fail  release.proof monitoring is not proved with this release",
    ]


def test_proofs_of_another_release_prove_nothing(scene, capsys):
    proved(scene)
    path = scene.place / "desk.toml"
    path.write_text(path.read_text().replace("seed = ", "seed = 1", 1))
    assert scene.name() == 0
    capsys.readouterr()
    assert scene.judge() == 2
    assert len(failures(capsys)) == len(Proof)


def test_an_edited_manifest_is_unsigned(scene, capsys):
    proved(scene)
    scene.manifest.write_text(scene.manifest.read_text().replace("alma", "olga"))
    assert scene.judge() == 2
    assert failures(capsys)[0].startswith("fail  release.unsigned")


def test_what_is_no_report_or_was_altered_is_not_sealed(scene):
    words = ["--requirement", "start_up", "--release", str(scene.manifest), "--key", str(scene.place / "builder.key")]
    path = scene.place / "odd.json"
    altered = json.loads(report(Severity.FAIL)) | {"severity": "OK"}
    for data in (b"no report", json.dumps(altered).encode()):
        path.write_bytes(data)
        assert call(["evidence", "seal", str(scene.place / "store"), str(path), *words]) == 3
    assert call(["evidence", "seal", str(scene.place / "store"), str(path), "--requirement", "luck", *words[2:]]) == 3
    assert not (scene.place / "store").exists()
