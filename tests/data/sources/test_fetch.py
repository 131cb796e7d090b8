"""Fetching over HTTP: a real server, broken connections, altered and damaged files, archives that point elsewhere."""

import gzip
import hashlib
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner

from strata.cli.app import app
from strata.data.sources import download as downloading
from strata.data.sources import known
from strata.data.sources.download import download
from strata.data.sources.fetch import fetch
from strata.data.sources.unpack import unpack
from strata.errors import FetchError, SettingsError

BODY = bytes(range(256)) * 4_000


@dataclass
class Site:
    """A server of files that breaks off after `breaks` bytes, as often as there are; `asked`: what requests wanted."""

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    busy: int = 0
    named: bool = True
    """Whether it says which version of a file it has."""
    asked: list[str | None] = field(default_factory=list)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    found = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            found.asked.append(wanted)
            body = found.files.get(self.path)
            if body is None or found.busy:
                found.busy = max(found.busy - 1, 0)
                self.send_response(404 if body is None else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            tag = f'"{hashlib.md5(body).hexdigest()}"'
            start = 0
            if wanted and self.headers.get("If-Range") == tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if start >= len(body) > 0:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(body)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
            if found.named:
                self.send_header("ETag", tag)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            if found.breaks:
                self.wfile.write(body[start : start + found.breaks.pop(0)])
                self.wfile.flush()
                self.close_connection = True
            else:
                self.wfile.write(body[start:])

        def log_message(self, format: str, *args: object) -> None:
            pass

    monkeypatch.setattr(downloading, "LONGEST_PAUSE_S", 0.01)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        found.address = f"http://127.0.0.1:{server.server_port}"
        yield found
        server.shutdown()
        thread.join()


def test_a_broken_connection_is_gone_on_with_where_it_ended(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"], site.breaks = BODY, [300_000, 200_000]
    seen: list[tuple[str, int, int | None]] = []
    path = download(f"{site.address}/a.zip", tmp_path / "a.zip", None, lambda *said: seen.append(said))
    assert path.read_bytes() == BODY
    assert site.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert seen[-1] == ("a.zip", len(BODY), len(BODY))
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"], site.breaks = BODY, [300_000, 0, 0, 0, 0, 0]
    with pytest.raises(FetchError, match=r"a\.zip cannot be fetched"):
        download(f"{site.address}/a.zip", tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()
    site.breaks, site.asked = [], []
    assert download(f"{site.address}/a.zip", tmp_path / "a.zip").read_bytes() == BODY
    assert site.asked == ["bytes=300000-"]


@pytest.mark.parametrize("named", [True, False])
def test_bytes_of_another_version_are_never_joined(site: Site, tmp_path: Path, named: bool) -> None:
    site.files["/a.zip"], site.breaks, site.named = BODY, [300_000, 0, 0, 0, 0, 0], named
    with pytest.raises(FetchError):
        download(f"{site.address}/a.zip", tmp_path / "a.zip")
    site.files["/a.zip"], site.breaks = BODY[::-1], []
    assert download(f"{site.address}/a.zip", tmp_path / "a.zip").read_bytes() == BODY[::-1]


def test_a_file_that_was_whole_before_the_end_came_is_taken(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"] = BODY
    (tmp_path / "a.zip.partial").write_bytes(BODY)
    (tmp_path / "a.zip.version").write_text(f'"{hashlib.md5(BODY).hexdigest()}"')
    assert download(f"{site.address}/a.zip", tmp_path / "a.zip").read_bytes() == BODY


def test_a_busy_server_is_asked_again_and_a_missing_file_is_told(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"], site.busy = BODY, 2
    assert download(f"{site.address}/a.zip", tmp_path / "a.zip").read_bytes() == BODY
    with pytest.raises(FetchError, match=r"b\.zip answers 404"):
        download(f"{site.address}/b.zip", tmp_path / "b.zip")


def test_a_file_that_is_not_the_published_one_is_not_kept(site: Site, tmp_path: Path) -> None:
    site.files["/a.zip"] = BODY
    right = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    assert download(f"{site.address}/a.zip", tmp_path / "a.zip", right).exists()
    with pytest.raises(FetchError, match=r"has md5:\w+, published is md5:0000"):
        download(f"{site.address}/a.zip", tmp_path / "b.zip", f"md5:{'0' * 32}")
    assert [each.name for each in tmp_path.iterdir()] == ["a.zip"]


def zipped(**files: bytes) -> bytes:
    with io.BytesIO() as held:
        with zipfile.ZipFile(held, "w") as archive:
            for name, content in files.items():
                archive.writestr(name.replace("__", "/"), content)
        return held.getvalue()


def test_only_wanted_files_leave_an_archive_and_only_into_the_folder(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped(**{"..__..__ratings.csv": b"up", "ml__movies.csv": b"films", "ml__README": b"no"}))
    unpack(archive, ["ratings.csv", "movies.csv"], tmp_path / "out")
    assert {each.name: each.read_bytes() for each in (tmp_path / "out").iterdir()} == {
        "ratings.csv": b"up",
        "movies.csv": b"films",
    }
    with pytest.raises(FetchError, match=r"holds 0 files tags\.csv, one was expected; it holds .*README"):
        unpack(archive, ["tags.csv"], tmp_path / "out")


def test_tars_and_single_files_are_unpacked_and_damaged_ones_told(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        for name, content in (("set/plays.tsv", b"u\ta"), ("set/big.tsv", b"no")):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    unpack(tmp_path / "a.tar.gz", ["plays.tsv"], tmp_path)
    assert (tmp_path / "plays.tsv").read_bytes() == b"u\ta"
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(b"{}"))
    unpack(tmp_path / "b.json.gz", ["b.json"], tmp_path)
    assert (tmp_path / "b.json").read_bytes() == b"{}"
    for name in ("c.json.gz", "c.zip", "c.tar.gz"):
        (tmp_path / name).write_bytes(gzip.compress(BODY)[:200])
        with pytest.raises(FetchError, match="is damaged"):
            unpack(tmp_path / name, ["c"], tmp_path)


@pytest.fixture
def presets(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data sets of the test's own: `films`, a zip and a .gz on the site, and `shop`, placed by hand."""
    films = zipped(ml__ratings=b"1,2")
    site.files |= {"/films.zip": films, "/notes.jsonl.gz": gzip.compress(b"{}\n")}
    folder = tmp_path / "presets"
    folder.mkdir()
    facts = "preset:\n  about: films\n  licence: none\n  page: http://films.example\n"
    (folder / "films.yaml").write_text(
        f"{facts}  downloads:\n    - url: {site.address}/films.zip\n      members: [ratings]\n"
        f"      checksum: md5:{hashlib.md5(films).hexdigest()}\n    - url: {site.address}/notes.jsonl.gz\n"
        "source: {folder: data/films}\n"
    )
    (folder / "shop.yaml").write_text(
        f"{facts}  placed: [a.csv, b.csv]\n  steps: log in and unpack\nsource: {{folder: data/shop}}\n"
    )
    monkeypatch.setattr(known, "FOLDER", folder)
    return tmp_path / "data"


def test_a_data_set_comes_whole_or_not_at_all(site: Site, presets: Path) -> None:
    notes = site.files.pop("/notes.jsonl.gz")
    with pytest.raises(
        FetchError, match=r"notes\.jsonl\.gz answers 404; run this again to go on, or fetch .*films\.zip"
    ):
        fetch("films", presets / "films")
    assert not (presets / "films").exists()
    site.files["/notes.jsonl.gz"], site.asked = notes, []
    said: list[str] = []
    fetch("films", presets / "films", say=said.append)
    assert {each.name: each.read_bytes() for each in (presets / "films").iterdir()} == {
        "ratings": b"1,2",
        "notes.jsonl": b"{}\n",
    }
    assert len(site.asked) == 1  # films.zip was there already
    assert [each.name for each in presets.iterdir()] == ["films"]
    fetch("films", presets / "films", say=said.append)
    assert said[-1].endswith("already holds films, nothing to do")


def test_a_folder_with_something_else_is_left_alone(presets: Path) -> None:
    (presets / "films").mkdir(parents=True)
    (presets / "films" / "mine.csv").write_text("mine")
    with pytest.raises(FetchError, match=r"holds something, but not ratings, notes\.jsonl; move it away"):
        fetch("films", presets / "films")
    assert [each.name for each in (presets / "films").iterdir()] == ["mine.csv"]


def test_without_network_it_says_what_to_place_where(site: Site, presets: Path, tmp_path: Path) -> None:
    preset = tmp_path / "presets" / "films.yaml"
    preset.write_text(preset.read_text().replace(site.address, "http://127.0.0.1:9"))
    with pytest.raises(FetchError, match=r"films\.zip cannot be fetched .* on another machine and put ratings, notes"):
        fetch("films", presets / "films")
    assert list(presets.iterdir()) == []


def test_what_a_person_places_is_told_until_it_is_there(presets: Path) -> None:
    with pytest.raises(
        FetchError, match=r"get it from http://films\.example, log in and unpack, and put a\.csv, b\.csv"
    ):
        fetch("shop", presets / "shop")
    (presets / "shop").mkdir(parents=True)
    (presets / "shop" / "a.csv").write_text("1")
    with pytest.raises(FetchError, match=r"and put b\.csv into"):
        fetch("shop", presets / "shop")
    (presets / "shop" / "b.csv").write_text("2")
    assert fetch("shop", presets / "shop") == presets / "shop"


def test_an_unknown_name_lists_the_known(presets: Path) -> None:
    with pytest.raises(SettingsError, match="'netflix' is no preset; there is: films, shop"):
        fetch("netflix", presets / "netflix")


def test_the_command_fetches_into_the_folder_that_the_settings_name(presets: Path) -> None:
    done = CliRunner().invoke(app, ["data", "fetch", "films", "--folder", str(presets)])
    assert done.exit_code == 0, done.output
    assert (presets / "films" / "ratings").exists()
