"""A lock file tells versions with hashes only; what is installed is compared by its normal name."""

from tradeworthy.app.gates.locked_packages import locked_in, normal, packages


def test_a_lock_file_tells_versions_with_hashes_only():
    text = "one==1.0 ; python_version >= '3.11' \\\n    --hash=sha256:abc\ntwo_b==2.0\n    # via one\n"
    assert locked_in(text) == {"one": "1.0"}


def test_an_installed_package_without_a_lock_is_told_without_one():
    (pytest_itself,) = packages({}, ["PyTest"])
    assert (pytest_itself.name, pytest_itself.locked) == ("pytest", "")
    assert packages({"never-installed": "1"}) == ()
    assert normal("A_b.C") == "a-b-c"
