"""Claims about the `egregora` command as its user meets it: help, new sites, mistakes and exit codes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from egregora_assets.cli.app import app
from egregora_assets.cli.sites import check_writable
from egregora_resources.errors import UserError
from egregora_resources.site.settings import load_settings
from egregora_tests import HANG

ROOT = Path(__file__).parents[2]
HEAVY = ("dagster", "duckdb", "ibis", "mkdocs", "google", "pydantic", "pyarrow", "numpy")


def egregora(
    *arguments: str | Path, cwd: Path | None = None, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The real command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from egregora_assets.cli import main; main()", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "100",
            **(environment or {}),
        },
        timeout=HANG,
        check=False,
    )


def test_help_loads_nothing_heavy_and_so_answers_at_once() -> None:
    code = (
        "import sys, atexit; sys.argv = ['egregora', '--help']\n"
        f"atexit.register(lambda: print('LOADED', [m for m in {HEAVY!r} if m in sys.modules]))\n"
        "from egregora_assets.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


def test_help_names_every_command_with_a_whole_sentence() -> None:
    text = egregora("--help").stdout
    for command in ("init", "write", "plan", "status", "inspect", "demo", "serve", "dev"):
        assert f"\n  {command} " in text
    assert "..." not in text.partition("Commands:")[2]


def test_the_version_is_the_project_files() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    done = egregora("--version")
    assert done.returncode == 0
    assert done.stdout == f"egregora {project['version']}\n"


def test_init_makes_a_site_whose_private_folders_git_leaves_alone(tmp_path: Path) -> None:
    site = tmp_path / "deep" / "blog"
    done = egregora("init", site)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in site.iterdir()) == [".gitignore", "egregora.toml", "inbox"]
    assert (site / ".gitignore").read_text().splitlines() == [".egregora/", "inbox/"]
    assert load_settings(site).pipeline.window_size == 7
    assert "# The time zone" in (site / "egregora.toml").read_text()


def test_init_keeps_what_is_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log")
    (tmp_path / "notes.txt").write_text("mine")
    assert egregora("init", tmp_path).returncode == 0
    assert (tmp_path / ".gitignore").read_text() == "*.log\n.egregora/\ninbox/\n"
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_init_refuses_to_overwrite_a_sites_settings(tmp_path: Path) -> None:
    egregora("init", tmp_path)
    (tmp_path / "egregora.toml").write_text('[site]\ntitle = "Mine"\n')
    done = egregora("init", tmp_path)
    assert done.returncode == 2
    assert "already is a site" in done.stderr
    assert load_settings(tmp_path).site.title == "Mine"


def snapshot(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["write", "nowhere.zip"], "There is no file nowhere.zip"),
        (["write"], "There is no site in my-blog yet"),
        (["write", "chat.txt", "--site", "full"], "has other files in it"),
        (["write", "chat.txt", "--site", "file"], "file is a file"),
        (["write", "chat.txt", "--site", "file/blog"], "can't be"),
        (["write", "chat.txt", "--site", "broken"], "max_workers = 0: must be a whole number from 1"),
        (["init", "file"], "can't be made in file"),
        (["init", "/proc/egregora-blog"], "can't be made in /proc/egregora-blog"),
        (["plan"], "There is no site in my-blog"),
        (["status", "--site", "nowhere"], "There is no site in nowhere"),
        (["serve", "--site", "full"], "There is no site in full"),
        (["serve", "--site", "good"], "has no built blog yet"),
        (["dev", "--site", "nowhere"], "There is no site in nowhere"),
        (["dev", "--site", "broken"], "max_workers = 0"),
        (["inspect", "nowhere.zip"], "There is no file nowhere.zip"),
        (["serve", "--site", "good", "--port", "99999"], "Invalid value for '--port'"),
        (["dev", "--site", "good", "--port", "0"], "Invalid value for '--port'"),
    ],
)
def test_bad_input_is_a_sentence_and_exit_code_2_and_changes_nothing(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.doc").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "chat.txt").write_text("31/12/2025, 23:59 - Ana: happy new year\n")
    egregora("init", tmp_path / "good")
    shutil.copytree(tmp_path / "good", tmp_path / "broken")
    (tmp_path / "broken" / "egregora.toml").write_text("[pipeline]\nmax_workers = 0\n")
    before = snapshot(tmp_path)
    done = egregora(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_site_that_cannot_be_written_to_is_told_so(tmp_path: Path) -> None:
    egregora("init", tmp_path)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UserError, match="can't be written to"):
            check_writable(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_on_a_read_only_file_system_is_told_so() -> None:
    with pytest.raises(UserError, match="can't be written to"):
        check_writable(Path("/proc"))


def test_the_site_is_this_folder_if_it_is_one(tmp_path: Path) -> None:
    egregora("init", tmp_path)
    done = egregora("serve", cwd=tmp_path)
    assert ". has no built blog yet" in done.stderr


def test_ctrl_c_says_that_nothing_is_lost(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['egregora', 'init', sys.argv[1]]\n"
        "from egregora_assets.cli import sites, main\n"
        "def stop(site): raise KeyboardInterrupt\n"
        "sites.make = stop\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "stopped; nothing lost, run again to continue\n"


def test_a_full_disk_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from egregora_assets.cli import sites

    def full(site: Path) -> None:
        raise OSError(28, "No space left on device", str(site / "inbox"))

    monkeypatch.setattr(sites, "make", full)
    done = CliRunner().invoke(app, ["init", str(tmp_path)])
    assert done.exit_code == 2
    assert "No space left on device. Make room" in done.stderr


def test_inspect_shows_names_dates_and_numbers_and_writes_nothing(tmp_path: Path) -> None:
    chat = tmp_path / "WhatsApp Chat with Us.txt"
    chat.write_text("31/12/2025, 23:59 - Ana: happy new year\n31/12/2025, 23:59 - Bo: \x1b[2Jyou too\n")
    done = egregora("inspect", chat)
    assert done.returncode == 0, done.stderr
    assert "2 messages from 2025-12-31 23:59" in done.stdout
    assert "Ana" in done.stdout
    assert "\x1b" not in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == [chat.name]


def test_inspect_prints_a_json_object_for_each_message(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("31/12/2025, 23:59 - Ana: olá\nmundo 😀\n31/12/2025, 23:59 - Bo: hi\n", encoding="utf-8")
    rows = [json.loads(line) for line in egregora("inspect", chat, "--jsonl").stdout.splitlines()]
    assert [row["text"] for row in rows] == ["olá\nmundo 😀", "hi"]
    wanted = {"file", "timestamp", "author", "kind", "text", "attachment", "is_system", "edited", "deleted"}
    assert wanted | {"media_omitted"} <= rows[0].keys()


def test_output_is_utf_8_even_where_the_machine_speaks_another_encoding(tmp_path: Path) -> None:
    chat = tmp_path / "chat.txt"
    chat.write_text("31/12/2025, 23:59 - Zoë: ✓ 你好\n", encoding="utf-8")
    done = egregora("inspect", chat, "--jsonl", environment={"PYTHONIOENCODING": "ascii"})
    assert json.loads(done.stdout)["text"] == "✓ 你好"


def _not_a_zip(path: Path) -> None:
    path.write_bytes(b"GIF89a\x00\x00 certainly no chat")


def _empty_zip(path: Path) -> None:
    zipfile.ZipFile(path, "w").close()


def _zip_without_chat(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("IMG-20250101-WA0001.jpg", b"\xff\xd8\xff")


def _truncated_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_chat.txt", "[31/12/2025, 23:59:00] Ana: hi\n" * 500)
    path.write_bytes(path.read_bytes()[:600])


def _empty_folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _wrong_encoding(path: Path) -> None:
    path.write_bytes(bytes(range(128, 256)) * 50)


def _empty_file(path: Path) -> None:
    path.write_bytes(b"")


def _no_messages(path: Path) -> None:
    path.write_text("Dear diary,\nnothing happened today.\n")


@pytest.mark.parametrize("known_site", [False, True], ids=["new site", "known site"])
@pytest.mark.parametrize(
    "spoil",
    [
        _not_a_zip, _empty_zip, _zip_without_chat, _truncated_zip, _empty_folder, _wrong_encoding, _empty_file,
        _no_messages, _pipe,
    ],
)  # fmt: skip
def test_an_export_that_cannot_be_read_is_a_sentence_and_changes_nothing(
    tmp_path: Path, spoil: Callable[[Path], None], known_site: bool
) -> None:
    export = tmp_path / "export.zip"
    spoil(export)
    if known_site:
        egregora("init", tmp_path / "blog")
    before = {name: text for name, text in snapshot(tmp_path).items() if ".egregora" not in name}
    done = egregora("write", export, "--site", tmp_path / "blog")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "export.zip" in done.stderr
    assert {name: text for name, text in snapshot(tmp_path).items() if ".egregora" not in name} == before
