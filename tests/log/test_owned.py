"""Owners are separated: no row is found, changed or deleted by another owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from components.drafts.store import delete_preset, find_draft, list_presets, save_draft, save_preset
from components.experiments.determinism import write_determinism
from components.experiments.store import (
    Better,
    Vote,
    adopt,
    ended_run_ids,
    find_experiment,
    judgements,
    light_runs,
    light_runs_under_way,
    newest_experiments,
    runs_of,
    save_experiment,
    save_vote,
    votes_on,
)
from components.log.annotations import Annotation, annotate, annotation_of
from components.log.deletion import delete_run, delete_runs_of_view, restore_run
from components.log.importing import import_runs
from components.log.log import Log
from components.log.owned import OwnLog
from components.log.query import (
    answers_to,
    count_runs,
    events_of,
    find_run,
    recent_measures,
    recent_rates,
    runs_that_answered,
)
from components.log.record import LOCAL
from components.log.search import choices, measured, page_of, summary_of
from components.log.tables import events, experiments, presets, run_annotations, runs, to_row, votes
from components.log.view import View
from components.runs.order import Placement
from tests import owners
from tests.log.conftest import make_run
from tests.log.exports import export_runs
from tests.log.test_export import finished
from tests.owners import COMPONENTS, NoOwner, check_owner, says_whose
from tests.waiting import wait_for

EXPERIMENT = "e" * 32
DRAFT = "d" * 32


class Two:
    """Two owners with equal data: a run with events, notes, a vote, an experiment, a draft and a preset each."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.mine, self.theirs = OwnLog(log, "me"), OwnLog(log, "them")
        self.my_run, self.their_run = (self._fill(own) for own in (self.mine, self.theirs))

    def _fill(self, own: OwnLog) -> str:
        record = replace(
            finished().record(), owner=own.owner, text=f"whale of {own.owner}", ttft_ms=5.0, tokens_per_second=9.0
        )
        record = replace(
            record, experiment_id=EXPERIMENT, prompt_tokens=5, completion_tokens=7, model="shared", status="ok"
        )
        other = replace(record, id=record.id[:-1] + ("0" if record.id[-1] != "0" else "1"), status="error")
        self.log.write(lambda connection: connection.execute(insert(runs), [to_row(each) for each in (record, other)]))
        annotate(own, record.id, Annotation(3, ("sea",), f"note of {own.owner}"))
        save_vote(own, Vote(record.id, other.id, "a", f"b of {own.owner}", Better.FIRST, blind=False))
        save_experiment(own, EXPERIMENT, f"experiment of {own.owner}")
        save_draft(own, DRAFT, f"draft of {own.owner}")
        save_preset(own, "Mine", f"preset of {own.owner}")
        wait_for(lambda: find_draft(own.database, DRAFT) and find_experiment(own.database, EXPERIMENT))
        self.all_runs = [*getattr(self, "all_runs", []), record.id, other.id]
        return record.id


@pytest.fixture
def two(log: Log) -> Two:
    return Two(log)


READS: dict[str, Callable[[Any, Two], Any]] = {
    "page_of": lambda database, _two: page_of(database, View()).runs["answer_begin"].tolist(),
    "page_of words": lambda database, _two: page_of(database, View(words="whale")).runs["answer_begin"].tolist(),
    "page_of tag": lambda database, _two: page_of(database, View(tag="sea")).runs["answer_begin"].tolist(),
    "page_of rating": lambda database, _two: page_of(database, View(rating=1)).runs["answer_begin"].tolist(),
    "page_of experiment": lambda database, _two: page_of(database, View(experiment=EXPERIMENT)).runs["id"].tolist(),
    "page_of order": lambda database, _two: page_of(database, View(order="TTFT")).runs["id"].tolist(),
    "measured": lambda database, _two: len(measured(database, View())),
    "count_runs": lambda database, _two: count_runs(database),
    "summary_of": lambda database, _two: summary_of(database, View()).count,
    "choices": lambda database, _two: choices(database)["model"],
    "answers_to": lambda database, _two: sorted(answers_to(database, "mine", 100).values()),
    "runs_that_answered": lambda database, _two: runs_that_answered(database, ["whale of me", "whale of them"], 100),
    "recent_rates": lambda database, _two: recent_rates(database, "mine", 100),
    "recent_measures": lambda database, _two: recent_measures(database, "mine", "shared", 100),
    "find_run": lambda database, two: [find_run(database, each) for each in (two.my_run, two.their_run)],
    "light_runs": lambda database, two: light_runs(database, [two.my_run, two.their_run]),
    "light_runs_under_way": lambda database, _two: light_runs_under_way(database, EXPERIMENT),
    "annotation_of": lambda database, two: [annotation_of(database, each) for each in (two.my_run, two.their_run)],
    "runs_of": lambda database, _two: runs_of(database, EXPERIMENT),
    "ended_run_ids": lambda database, _two: ended_run_ids(database, EXPERIMENT),
    "export_runs": lambda database, _two: list(export_runs(database)),
    "find_experiment": lambda database, _two: find_experiment(database, EXPERIMENT),
    "newest_experiments": lambda database, _two: newest_experiments(database, 9),
    "votes_on": lambda database, two: votes_on(database, two.all_runs),
    "judgements": lambda database, _two: judgements(database),
    "find_draft": lambda database, _two: find_draft(database, DRAFT),
    "list_presets": lambda database, _two: list_presets(database),
}


def read_all(own: OwnLog, two: Two) -> dict[str, Any]:
    return {name: read(own.database, two) for name, read in READS.items()}


def test_the_rows_of_others_do_not_change_results(two: Two) -> None:
    together = read_all(two.mine, two)
    for table in (experiments, presets, runs):
        two.log.write(lambda connection, table=table: connection.execute(delete(table).where(table.c.owner == "them")))
    alone = read_all(two.mine, two)
    assert together == alone
    assert "them" not in str(together)
    assert [name for name, found in alone.items() if not found] == ["light_runs_under_way"]


def test_an_owner_without_rows_finds_nothing(two: Two) -> None:
    for owner in ("", LOCAL, "nobody", "me' or '1'='1", "%", "ME"):
        database = OwnLog(two.log, owner).database
        assert count_runs(database) == 0
        assert page_of(database, View(words="whale")).runs.empty
        assert find_run(database, two.my_run) is None


def test_matches_of_other_owners_do_not_displace_mine(two: Two) -> None:
    record = replace(find_run(two.theirs.database, two.their_run), text="whale")
    rows = [to_row(replace(record, id=f"{number:032x}")) for number in range(10)]
    two.log.write(lambda connection: connection.execute(insert(runs), rows))
    found = page_of(two.mine.database, View(words="whale"), max_matches=3)
    assert two.my_run in found.runs["id"].tolist()


CHANGES: dict[str, Callable[[OwnLog, Two], Any]] = {
    "annotate": lambda own, two: annotate(own, two.their_run, Annotation(1, ("x",), "x")),
    "remove a note": lambda own, two: annotate(own, two.their_run, Annotation()),
    "delete_run": lambda own, two: delete_run(own, two.their_run),
    "delete_runs_of_view": lambda own, _two: list(delete_runs_of_view(own, own.database, View(words="them"))),
    "adopt": lambda own, two: adopt(own, two.their_run, Placement("a" * 32, "1", 0, 1, "x", 1)),
    "write_determinism": lambda own, two: write_determinism(own, (two.their_run,), "identical"),
    "save_vote": lambda own, two: save_vote(own, Vote(two.my_run, two.their_run, "", "", Better.SECOND, True)),
    "save_experiment": lambda own, _two: save_experiment(own, EXPERIMENT, "changed"),
    "save_draft": lambda own, _two: save_draft(own, DRAFT, "changed"),
    "save_preset": lambda own, _two: save_preset(own, "Mine", "changed"),
    "delete_preset": lambda own, two: delete_preset(own, list_presets(two.theirs.database)[0].id),
    "import_runs": lambda own, two: import_runs(own, list(export_runs(two.theirs.database))),
}


def test_rows_of_others_are_never_changed(two: Two) -> None:
    before = read_all(two.theirs, two)
    for name, change in CHANGES.items():
        change(two.mine, two)
        two.log.write(lambda _connection: None)  # wait until posted work is done
        assert read_all(two.theirs, two) == before, name


def test_runs_of_others_can_be_neither_watched_nor_restored(two: Two) -> None:
    run = make_run(owner="them")
    two.log.begin(run)
    assert two.mine.live(run.id) is None
    assert two.theirs.live(run.id) is run
    two.log.wait_until_committed(run)
    deleted = delete_run(two.mine, two.my_run)
    assert deleted is not None
    deleted.rows["runs"][0]["owner"] = "them"
    restore_run(two.mine, deleted)
    assert find_run(two.mine.database, two.my_run) is not None
    assert find_run(two.theirs.database, two.my_run) is None


def test_events_belong_to_the_owner_of_their_run(two: Two) -> None:
    two.log.write(
        lambda connection: connection.execute(insert(events), {"run_id": two.their_run, "first": 0, "content": b"x"})
    )
    assert events_of(two.mine.database, two.their_run) == []
    with pytest.raises(Exception, match="damaged"):
        events_of(two.theirs.database, two.their_run)


def test_exported_runs_have_no_owner(two: Two) -> None:
    secret = OwnLog(two.log, "owner-canary")
    import_runs(secret, list(export_runs(two.mine.database)))
    assert count_runs(secret.database) == 2
    assert "owner-canary" not in "".join(export_runs(secret.database))


@pytest.mark.parametrize(
    "statement",
    [
        select(runs.c.id),
        select(runs.c.id).where(runs.c.status == "ok"),
        select(votes),
        select(events.c.content).where(events.c.run_id == "x"),
        delete(run_annotations).where(run_annotations.c.run_id == "x"),
        update(runs).values(text=""),
        select(runs.c.owner).where(runs.c.owner != "me"),
        select(runs.alias("other").c.id),
    ],
    ids=str,
)
def test_a_statement_without_an_owner_is_detected(statement: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not says_whose(statement)
    assert says_whose(statement.where(runs.c.owner == "me"))
    monkeypatch.setattr(owners, "COMPONENTS", COMPONENTS.parent)
    with pytest.raises(NoOwner):
        check_owner(None, statement, None, None, {})
    check_owner(None, statement, None, None, {"whole_log": True})


def _files_with(text: str, *folders: Path) -> set[str]:
    """The product's files below the folders in which the pattern ``text`` occurs."""
    files = [path for folder in folders for path in folder.rglob("*.py")]
    return {path.relative_to(COMPONENTS.parent).as_posix() for path in files if re.search(text, path.read_text())}


def test_only_these_files_read_the_whole_log() -> None:
    users = _files_with(r"\bWHOLE_LOG\b", COMPONENTS)
    assert users == {
        "components/log/deletion.py",
        "components/log/metrics.py",
        "components/log/quota.py",
        "components/log/retention.py",
        "components/log/tables.py",  # defines it
        "components/log/writing.py",
    }


def test_pages_use_the_log_through_its_owner() -> None:
    # What these parts of the log give out is nobody's in particular.
    whose = r"service\(\)\.log(?!\.problem|\.warning|\.database\.size)"
    assert _files_with(whose, COMPONENTS / "ui", COMPONENTS / "server", COMPONENTS.parent / "pages") == {
        "components/ui/visitor.py",  # makes the owner's view of the log
        "components/server/run_files.py",  # makes it for the owner in the cookie
        "components/server/routes.py",  # numbers of all owners, without texts
        "components/server/link_cards.py",  # a card is found by the id of its link, which its owner shared
        "components/ui/replica_check.py",  # a run known to several processes, by an id without an owner
        "components/ui/compare/starting.py",  # joins transactions of any owner
        "components/ui/share/download.py",  # the log signs a file that readers save without a login
        "components/ui/entrance.py",  # what is left of a demo's budget is counted by visitor and network
    }
