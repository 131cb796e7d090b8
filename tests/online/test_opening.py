"""An address tells which store keeps the journal, and no message shows a password."""

import os
from pathlib import Path

import pytest

from strata.errors import SettingsError, StoreUnavailable
from strata.online.opening import open_journal
from strata.online.redis import RedisJournal
from strata.online.sqlite import SqliteJournal
from tests.online.servers import RedisServer


@pytest.mark.parametrize("form", ["{}", "sqlite:///{}"])
def test_a_path_is_a_file(tmp_path: Path, form: str) -> None:
    file = tmp_path / "a b" / "journal #1?.sqlite"
    journal = open_journal(form.format(file))
    assert isinstance(journal, SqliteJournal)
    assert journal.local
    assert file.is_file()
    journal.close()


def test_a_relative_path_is_of_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_journal("here.sqlite").close()
    open_journal("sqlite:///there.sqlite").close()
    assert {"here.sqlite", "there.sqlite"} <= set(os.listdir(tmp_path))


def test_an_address_of_redis_is_redis(redis_server: RedisServer) -> None:
    journal = open_journal(f"{redis_server.url}?prefix=of-an-address")
    assert isinstance(journal, RedisJournal)
    assert not journal.local
    journal.close()


@pytest.mark.parametrize(
    "address",
    ["", "  ", "mysql://me:qzx@host/db", "sqlite://host/file?qzx", "sqlite:///", "redis:qzx", "http://:qzx@host"],
)
def test_any_other_address_is_refused_with_the_forms_that_there_are(address: str) -> None:
    with pytest.raises(SettingsError, match="redis://host:port/number") as caught:
        open_journal(address)
    assert "qzx" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "redis://:qzx/qzx#qzx@host:6379/0",
        "redis://me:qzx@host:qzx/0",
        "redis://me:qzx@host:1/0?pasword=qzx",
        "redis://me:qzx@[host:1/0",
        "redis://me:qzx@localhost:1/0?trusted=perhaps",
        "redis://me:qzx@localhost:1/0?prefix={qzx}",
        "redis://me:qzx@localhost:1/0?patience=0",
        "redis://me:qzx@localhost:1/0?patience=qzx",
        "redis://me:qzx@localhost:1/0?socket_timeout=qzx",
    ],
)
def test_an_address_of_redis_that_cannot_be_read_shows_no_password(address: str) -> None:
    with pytest.raises((SettingsError, StoreUnavailable)) as caught:
        open_journal(address)
    assert "qzx" not in str(caught.value)


def test_a_server_that_is_not_there_is_told_by_its_place(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"Redis at localhost:1/3: ") as caught:
        open_journal("redis://me:qzx@localhost:1/3")
    assert "qzx" not in str(caught.value)
    with pytest.raises(StoreUnavailable, match="Redis at .*socket"):
        open_journal(f"unix://{tmp_path}/socket")
