from pathlib import Path

import pytest

from legbook.contracts.generate import contents, differing, main
from tests.contracts.folder import CONTRACTS


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_committed_folder_is_what_the_code_says() -> None:
    assert differing(CONTRACTS, contents()) == {}


def test_it_writes_everything_and_its_check_is_content(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 0
    assert files_of(tmp_path) == files_of(CONTRACTS)
    assert main(["--check", str(tmp_path)]) == 0


def test_check_names_each_file_that_differs_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(tmp_path)])
    (tmp_path / "README.md").write_text("by hand\n")
    (tmp_path / "asyncapi.json").unlink()
    (tmp_path / "schemas/Call.v1.schema.json").write_text("{}\n")
    before = files_of(tmp_path)
    assert main(["--check", str(tmp_path)]) == 1
    assert files_of(tmp_path) == before
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(": ")[0].removeprefix(f"{tmp_path}/") for line in told] == [
        "README.md",
        "asyncapi.json",
        "schemas/Call.v1.schema.json",
    ]


def test_check_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert main(["--check", str(tmp_path / "nothing")]) == 1
    assert not (tmp_path / "nothing").exists()


def test_files_end_with_one_newline_and_lists_of_words_take_one_line() -> None:
    for name, text in contents().items():
        assert text.endswith("\n"), name
        assert not text.endswith("\n\n"), name
    assert '"type": ["string", "null"]' in contents()["schemas/Leg.v1.schema.json"]
