"""Processes that are killed at random moments while they write to a journal: what they were told holds."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from strata.online.erasures import erased
from tests.online.stores import Store, event, everything, lines
from tests.online.writing import BATCH, append_batches, forget_users
from tests.processes import killed

ROUNDS = 50
INSIDE = 5
"""Of the rounds, how many at least must have hit an act: its begin was noted, its end was not."""


def killed_while(work: Callable[..., None], store: Store, log: Path, *given: Any, after: float) -> tuple[int, bool]:
    """Kill a process some time after its first act; how many acts it was told of, and whether one was under way."""
    killed(work, store.address, *given, log, 1_000_000, begun=lambda: len(lines(log)) >= 2, after=after)
    noted = lines(log)
    return sum(line.startswith("kept") for line in noted), noted[-1].startswith("begun")


@pytest.mark.slow
def test_every_acknowledged_record_is_there_and_none_by_half(store: Store, tmp_path: Path) -> None:
    moments, inside = random.Random(7), 0
    whole: set[str] = set()
    for n in range(ROUNDS):
        after = moments.uniform(0, 0.03)
        kept, hit = killed_while(append_batches, store, tmp_path / f"{n}.log", f"round-{n}", after=after)
        inside += hit
        journal = store.open()
        found = [each.record for each in everything(journal)]
        of_round = {record.id for record in found if record.id.startswith(f"round-{n}-")}
        batches = len(of_round) // BATCH
        assert batches in ({kept, kept + 1} if hit else {kept})
        whole |= {f"round-{n}-{batch}-{part}" for batch in range(batches) for part in range(BATCH)}
        assert {record.id for record in found} == whole
        assert len(found) == len(whole)
        assert all(record.body["text"] == "word " * 40 for record in found)
        assert sum(len(journal.of_user(f"user-{user}")) for user in range(5)) == len(found)
        (again,) = journal.append([event(f"after-{n}", "user-0", text="word " * 40)])
        assert again.new
        assert again.place == journal.position()
        whole.add(f"after-{n}")
        journal.close()
    assert inside >= INSIDE


@pytest.mark.slow
def test_a_user_is_forgotten_wholly_or_not_at_all(store: Store, tmp_path: Path) -> None:
    moments, inside, rounds = random.Random(8), 0, 20
    for n in range(rounds):
        journal = store.open()
        journal.retain(1e9)
        count = 60
        words = [f"{tmp_path.name}-{n}-of-{user}-" for user in range(count)]
        journal.append(
            [
                event(f"{n}-{user}-{part}", f"user-{user}", text=words[user])
                for user in range(count)
                for part in range(9)
            ]
        )
        name = journal.facts().name
        last = journal.position()
        journal.close()
        kept, hit = killed_while(forget_users, store, tmp_path / f"{n}.log", after=moments.uniform(0, 0.02))
        inside += hit
        journal = store.open()
        left = [len(journal.of_user(f"user-{user}")) for user in range(count)]
        assert set(left) <= {0, 9}
        assert all(each == 0 for each in left[:kept])
        erasures = {each.record.id for each in journal.of_kind(["erasure"], last)}
        gone = len(erasures)
        assert gone in ({kept, kept + 1} if hit else {kept})
        assert erasures == {erased(f"user-{user}", name) for user in range(gone)}
        assert left.count(0) == min(gone, count)  # a kill may come after the last of them
        store.settle(journal)  # what the kill left on the disk
        files = store.contents()
        assert [any(word.encode() in content for _, content in files) for word in words] == [each == 9 for each in left]
        journal.close()
    assert inside >= INSIDE
