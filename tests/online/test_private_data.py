"""Planted personal data and ids are found nowhere: neither in the journal nor the data set nor what validate makes."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from strata.errors import SettingsError
from strata.online.draining import drain
from strata.online.opening import open_journal
from strata.online.privacy import Privacy
from strata.online.pseudonyms import FORM, VARIABLE, Pseudonyms
from strata.online.records import Record
from strata.online.scrubbing import scrub_records
from tests.places import ROOT

KEY = "a key of some length for these tests"
EMAIL, PHONE, STREET = "zorro.canary@example.org", "+44 20 7946 0958", "221B Baker Street"
IDS = ("canary-user-one", "canary-user-two", "canary-user-three")
SOURCE = [
    f"{IDS[0]},i0,review,2024-01-01,write to {EMAIL}",
    f"{IDS[0]},i1,view,2024-01-02,",
    f"{IDS[1]},i1,comment,2024-01-03,call {PHONE}",
    f"{IDS[1]},ghost,view,2024-01-03,refused {EMAIL}",
    f"{IDS[1]},i0,sneeze,2024-01-03,",
    f'{IDS[2]},i0,view,2024-01-04,,"a field too many, {EMAIL}"',
]


def validate(folder: Path, key: str | None = KEY) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200"} | ({VARIABLE: key} if key else {})
    command = [sys.executable, "-m", "tasks.validate"]
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True, check=False)


def set_up(folder: Path, **cleaning: Any) -> Path:
    data = folder / "data" / "shop"
    data.mkdir(parents=True)
    more = [f"u{n % 5},i{n % 2},view,2024-01-{n % 28 + 1:02},number {n}" for n in range(60)]
    header = "user_id,item_id,behaviour,timestamp,text"
    (data / "i.csv").write_text("\n".join([header, *SOURCE, *more]) + "\n")
    (data / "t.csv").write_text("item_id,title\ni0,One\ni1,Two\n")
    (data / "u.csv").write_text(
        "user_id,profile_text\n"
        + "".join(f'{id},"I live at {STREET}, London"\n' for id in IDS)
        + "".join(f"u{n},\n" for n in range(5))
    )
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    tables = {
        "interactions": {"file": "i.csv", "behaviours": {"sneeze": None}},
        "items": {"file": "t.csv"},
        "users": {"file": "u.csv"},
    }
    limits = {**params["cleaning"]["limits"], "orphans": 1.0, "bad_values": 1.0}
    params |= {
        "source": {"folder": "data/shop", **tables},
        "cleaning": {**params["cleaning"], "limits": limits, **cleaning},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    return data


def holding(folder: Path, *words: str) -> set[tuple[str, str]]:
    """Files below a folder, unpacked where they are Parquet, and the words that stand in them."""
    found = set()
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.read_bytes()
        if path.suffix == ".parquet":
            content += str(pl.read_parquet(path).rows()).encode()
        found |= {(path.name, word) for word in words if word.encode() in content}
    return found


PLANTED = (*IDS, EMAIL, PHONE, STREET)


def test_planted_data_is_found_nowhere(tmp_path: Path) -> None:
    data = set_up(tmp_path, pseudonymous=True, scrub=True)
    pseudonyms = Pseudonyms(KEY)
    sent = [
        Record(
            "event",
            f"e{n}",
            pseudonyms.of(id),
            1_706_000_000.0,
            {"item_id": "i0", "behaviour": "comment", "text": text},
        )
        for n, (id, text) in enumerate(zip(IDS, (f"mail {EMAIL}", f"or {PHONE}", f"I am at {STREET}"), strict=True))
    ]
    with closing(open_journal(str(tmp_path / "journal" / "journal.sqlite"))) as journal:
        journal.append(scrub_records(sent)[0])
        drain(journal, data, tmp_path / "corrections" / "corrections.jsonl")
    done = validate(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [word for word in PLANTED if word in done.stdout + done.stderr]
    for kept in (tmp_path / "journal", data / "events", tmp_path / "artifacts"):
        assert holding(kept, *PLANTED) == set()
    assert holding(data, EMAIL)  # the source's own files are the platform's
    table = pl.read_parquet(tmp_path / "artifacts" / "tables" / "interactions.parquet")
    assert all(FORM.fullmatch(user) for user in table["user_id"])
    # What the service kept and what the source has of somebody is one user's.
    mine = table.filter(pl.col("user_id") == pseudonyms.of(IDS[0]))
    assert sorted(mine["text"].drop_nulls()) == ["mail ⟨e-mail⟩", "write to ⟨e-mail⟩"]
    quarantine = pl.read_parquet(tmp_path / "artifacts" / "tables" / "quarantine.parquet")
    assert quarantine.height == 2
    assert validate(tmp_path, key=None).returncode == 1


def test_without_the_settings_the_plants_are_found(tmp_path: Path) -> None:
    set_up(tmp_path)
    assert validate(tmp_path).returncode == 0
    assert {word for _, word in holding(tmp_path / "artifacts", *PLANTED)} == set(PLANTED)


@given(st.text(min_size=1), st.text(min_size=1))
def test_pseudonyms_tell_users_apart_and_stay(one: str, other: str) -> None:
    made, second = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    assert FORM.fullmatch(made.of(one))
    assert made.of(made.of(one)) == made.of(one) == Pseudonyms(KEY).of(one)
    assert (made.of(one) == made.of(other)) == (one == other)
    assert made.of(one) != second.of(one)


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(SettingsError, match="fewer than 32"):
        Pseudonyms("secret")
    with pytest.raises(SettingsError, match="is not set"):
        Pseudonyms.needed("pseudonyms are asked for", {})


def test_what_comes_by_a_stream_is_kept_as_what_is_sent_to_the_service() -> None:
    record = Record("event", "e1", IDS[0], 1.0, {"item_id": "i0", "behaviour": "comment", "text": f"mail {EMAIL}"})
    kept = Privacy.from_environment({VARIABLE: KEY}).of(record)
    assert (kept.user_id, kept.body["text"]) == (Pseudonyms(KEY).of(IDS[0]), "mail ⟨e-mail⟩")
    assert Privacy.from_environment({"STRATA_SCRUB": "false"}).of(record) == record
    with pytest.raises(SettingsError, match="fewer than 32"):
        Privacy.from_environment({VARIABLE: "weak"})
