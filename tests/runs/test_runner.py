from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from components.contract.messages import Message, Role
from components.contract.profile import BEEZY, OPENAI
from components.contract.request import ChatCompletionStreamRequest, UnsendableField, to_bytes
from components.endpoints.endpoint import Address, Endpoint, EndpointUnavailable
from components.endpoints.own import own_endpoint
from components.endpoints.typed import EndpointField
from components.log.log import Log
from components.log.query import events_of, find_run
from components.runs.gate import Refused
from components.runs.order import Order
from components.runs.run import Run
from components.runs.runner import Runner
from components.settings import Settings
from components.streaming.limits import Limits
from components.streaming.outcome import Choice, Outcome, ToolCall
from components.streaming.reader_processes import AnswerListener, ReaderProcesses
from components.streaming.session import ApiKey
from tests.log.conftest import REQUEST, endpoint_at
from tests.orders import order, order_of
from tests.streaming.endpoint import DONE, chunk, document, event, head, sending, serve
from tests.streaming.recorder import recording
from tests.waiting import wait_for

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


@pytest.fixture
def runner(log: Log) -> Iterator[Runner]:
    made = Runner(log)
    yield made
    made.shutdown()


def logged(log: Log, run: Run) -> Any:
    wait_for(lambda: log.live(run.id) is None)
    return find_run(log.database, run.id)


def test_a_run_ends_in_the_log_with_its_numbers_and_the_exact_bytes(runner: Runner, log: Log) -> None:
    pieces = [head(), chunk("One"), chunk(" two"), chunk(" three", "stop", usage=USAGE) + DONE]
    with serve(sending(*pieces, pause=0.03)) as server:
        found = logged(log, runner.start(order_of(endpoint_at(server.base_url), REQUEST)))
        sent = server.requests[0].partition(b"\r\n\r\n")[2]
    assert (found.status, found.text, found.finish_reason) == ("ok", "One two three", "stop")
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (7, 3, 10)
    assert found.request_body.encode() == sent == to_bytes(REQUEST, BEEZY)
    assert found.first_byte_ms <= found.first_event_ms <= found.ttft_ms < found.total_ms
    assert found.tokens_per_second == pytest.approx(2 / 0.06, rel=0.5)
    assert (found.chunk_count, found.attempts, found.endpoint, found.model) == (3, 1, "mine", "m")


def test_the_row_is_committed_when_the_request_arrives(runner: Runner, log: Log) -> None:
    seen: list[str] = []

    def play(connection: Any, _request: bytes) -> None:
        with log.database.reader.begin() as reader:
            seen.extend(reader.exec_driver_sql("select status from runs").scalars())
        connection.sendall(head() + chunk("Hi", "stop") + DONE)

    with serve(play) as server:
        logged(log, runner.start(order_of(endpoint_at(server.base_url), REQUEST)))
    assert seen == ["running"]


def test_a_reader_process_is_used_after_the_commit_and_never_with_an_address_policy(runner: Runner, log: Log) -> None:
    seen: list[str] = []

    class NoneReady(ReaderProcesses):
        def begin(self, base_url: str, body: bytes, listener: AnswerListener, **_more: Any) -> None:
            with log.database.reader.begin() as reader:
                seen.extend(reader.exec_driver_sql("select status from runs").scalars())

    readers = NoneReady(1)
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        fixed = endpoint_at(server.base_url)
        policy = Address(server.base_url, allows=lambda _ip: True)
        found = [
            logged(log, runner.start(order_of(endpoint, REQUEST), readers))
            for endpoint in (fixed, replace(fixed, fixed_address=policy))
        ]
    assert seen == ["running"]
    assert [run.text for run in found] == ["Hi", "Hi"]  # a thread reads if no process does


def test_an_unavailable_reader_process_ends_the_run_with_an_error(runner: Runner, log: Log) -> None:
    class Broken(ReaderProcesses):
        def begin(self, *_arguments: Any, **_more: Any) -> None:
            raise RuntimeError("can't start new thread")

    found = logged(log, runner.start(order_of(endpoint_at("http://127.0.0.1:1/v1"), REQUEST), Broken(1)))
    assert (found.status, found.error_kind) == ("error", "internal")


def test_every_event_is_kept_unchanged_with_its_time(runner: Runner, log: Log) -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}\n\n'
    pieces = [head(), b": a comment\n\ndata: no JSON\n\n", chunk("One"), b"event: ping\ndata: {}\n\n", usage]
    pieces.append(chunk(" <thi", "stop") + DONE)  # a possible beginning of the key is held back until the end
    with serve(sending(*pieces, pause=0.03)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST, draft='{"text": "Hello"}'))
        found = logged(log, run)
    kept = events_of(log.database, run.id)
    sent = b"".join(pieces).decode()
    assert [(event.name, event.data) for event in kept] == [
        ("message", "no JSON"),
        ("message", kept[1].data),
        ("ping", "{}"),
        ("message", usage.decode().removeprefix("data: ").strip()),
        ("message", kept[4].data),
        ("message", "[DONE]"),
    ]
    assert all(f"data: {event.data}" in sent for event in kept)
    assert "One" in kept[1].data
    assert "stop" in kept[4].data
    assert (found.text, found.event_count, found.draft) == ("One <thi", 6, '{"text": "Hello"}')
    times = [event.at_ms for event in kept]
    assert times == sorted(times)
    assert times[0] >= found.first_byte_ms
    assert times[4] - times[0] > 80


def test_the_limits_of_the_runner_hold_for_events(log: Log) -> None:
    runner = Runner(log, Limits(max_kept_events=2))
    with serve(sending(head(), chunk("One"), chunk(" two"), chunk("", "stop") + DONE)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        assert logged(log, run).event_count == 4
    assert len(events_of(log.database, run.id)) == 2
    runner.shutdown()


def test_a_stop_keeps_the_text_that_arrived(runner: Runner, log: Log) -> None:
    def play(connection: Any, request: bytes) -> None:
        connection.sendall(head() + chunk("Half a"))
        server.until_closed(connection, request)

    with serve(play) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        wait_for(lambda: run.record().text)
        log.live(run.id).stop()
        wait_for(lambda: run.finished)
        wait_for(lambda: server.closed_at)
    found = logged(log, run)
    assert (found.status, found.text) == ("cancelled", "Half a")


def test_a_refusal_is_logged_with_the_endpoints_message(runner: Runner, log: Log) -> None:
    body = {"detail": [{"type": "x", "loc": ["body", "temperature"], "msg": "too warm", "input": 9}]}
    with serve(document(body, "422 Unprocessable Entity")) as server:
        found = logged(log, runner.start(order_of(endpoint_at(server.base_url), REQUEST)))
    assert (found.status, found.error_kind, found.http_status) == ("error", "invalid_request", 422)
    assert found.error_message == "temperature: too warm"
    assert "too warm" in found.raw_error


def test_no_key_reaches_the_log_even_when_the_endpoint_repeats_it(runner: Runner, log: Log, url: str) -> None:
    with serve(document({"detail": "Bad key canary-key-1"}, "401 Unauthorized")) as server:
        key = ApiKey("canary-key-1", server.base_url)
        found = logged(log, runner.start(order_of(Endpoint("mine", BEEZY, Address(server.base_url, key)), REQUEST)))
        assert b"Authorization: Bearer canary-key-1" in server.requests[0]
    assert found.error_message == "Bad key ***"
    assert "canary" not in str(found)
    log.close()
    if url.startswith("sqlite"):
        with open(url.removeprefix("sqlite:///"), "rb") as file:
            assert b"canary" not in file.read()


def test_no_key_reaches_the_events(runner: Runner, log: Log) -> None:
    pieces = [b"event: canary-key-1\ndata: canary-key-1\n\n", b"data: no JSON canary-key-1\n\n", chunk("Hi", "stop")]
    with serve(sending(head(), *pieces, DONE)) as server:
        key = ApiKey("canary-key-1", server.base_url)
        run = runner.start(order_of(Endpoint("mine", BEEZY, Address(server.base_url, key)), REQUEST))
        logged(log, run)
    kept = events_of(log.database, run.id)
    assert [(event.name, event.data) for event in kept][:2] == [("***", "***"), ("message", "no JSON ***")]
    assert "canary" not in str(kept)


def test_every_requested_choice_is_kept_without_the_key(runner: Runner, log: Log) -> None:
    call = {"id": "c", "function": {"name": "look", "arguments": "canary-key-1"}}
    further = {"reasoning": "Hm.", "content": "Key: canary-key-1", "tool_calls": [call]}
    second = event({"choices": [{"index": 1, "delta": further, "finish_reason": "length"}]})
    with serve(head() + chunk("Hi") + second + chunk(finish="stop") + DONE) as server:
        endpoint = Endpoint("mine", BEEZY, Address(server.base_url, ApiKey("canary-key-1", server.base_url)))
        body = b'{"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": true, "n": 2}'
        found = logged(log, runner.start(order(endpoint, body)))
    assert (found.status, found.text, found.finish_reason) == ("ok", "Hi", "stop")
    assert found.choices_beyond_first() == (Choice("Key: ***", "Hm.", (ToolCall("c", "look", "***"),), "length"),)


@dataclass(frozen=True)
class _WaitingEndpoint:
    """An endpoint without an address until it is stopped, like the embedded one during its download."""

    name = "waiting"
    profile = BEEZY
    default_model = None

    def address(self, stopped: Callable[[], bool]) -> Address:
        wait_for(stopped)
        raise EndpointUnavailable("still waiting")


def test_a_run_waiting_for_a_retry_has_a_reason_and_a_time(runner: Runner) -> None:
    with serve(document({"message": "slow down"}, "429 Too Many Requests", "Retry-After: 50")) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        wait_for(lambda: run.retry_wait is not None)
        assert run.retry_wait is not None
        assert run.retry_wait.reason == "slow down (HTTP 429)"
        assert 40 < run.retry_wait.remaining_s <= 50
        run.stop()
        run.ended.result(10)
    assert run.retry_wait is None


def test_a_run_can_be_stopped_while_its_endpoint_starts(runner: Runner, log: Log) -> None:
    run = runner.start(order_of(_WaitingEndpoint(), REQUEST))
    run.stop()
    assert logged(log, run).status == "cancelled"


def test_an_endpoint_without_an_address_rejects_the_run_with_a_reason(runner: Runner, log: Log) -> None:
    class Broken(_WaitingEndpoint):
        def address(self, stopped: Callable[[], bool]) -> Address:
            raise EndpointUnavailable("The model could not be fetched.")

    found = logged(log, runner.start(order_of(Broken(), REQUEST)))
    assert (found.status, found.error_kind) == ("rejected", "endpoint_unavailable")
    assert found.error_message == "The model could not be fetched."


def test_an_internal_error_ends_the_run_and_is_reported(
    runner: Runner, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    class Faulty(_WaitingEndpoint):
        def address(self, stopped: Callable[[], bool]) -> Address:
            raise ZeroDivisionError("a bug")

    found = logged(log, runner.start(order_of(Faulty(), REQUEST)))
    assert (found.status, found.error_kind) == ("error", "internal")
    assert "a bug" not in found.error_message
    assert "a bug" in caplog.text


def test_a_field_missing_in_the_dialect_is_refused_before_the_run(runner: Runner) -> None:
    request = ChatCompletionStreamRequest(model="m", messages=[Message(role=Role.USER, content="Hi")], safe_prompt=True)
    with pytest.raises(UnsendableField, match="openai dialect has no safe_prompt"):
        runner.start(order_of(Endpoint("mine", OPENAI, Address("http://127.0.0.1:1/v1")), request))


def test_runs_do_not_wait_for_each_other_and_leave_no_thread(runner: Runner, log: Log) -> None:
    before = threading.active_count()
    together = threading.Barrier(5, timeout=10)

    def play(connection: Any, _request: bytes) -> None:
        connection.sendall(head() + chunk("slow"))
        together.wait()
        connection.sendall(chunk("", "stop") + DONE)

    with serve(play) as server:
        runs = [runner.start(order_of(endpoint_at(server.base_url), REQUEST)) for _ in range(5)]
        assert [logged(log, run).text for run in runs] == ["slow"] * 5
    wait_for(lambda: threading.active_count() <= before)


def test_shutting_down_stops_active_runs(runner: Runner, log: Log) -> None:
    with serve(lambda connection, request: server.until_closed(connection, request)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        wait_for(lambda: server.requests)
        runner.shutdown()
        assert run.finished
    assert logged(log, run).status == "cancelled"


def test_the_future_of_a_run_is_done_when_the_run_is_written(runner: Runner, log: Log) -> None:
    with serve(sending(head(), chunk("One"), chunk(" two", "stop") + DONE, pause=0.1)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        seen: list[Any] = []

        def wait() -> None:
            run.written.result(5)
            seen.append((run.finished, find_run(log.database, run.id).text))

        waiting = [threading.Thread(target=wait) for _ in range(3)]
        for thread in waiting:
            thread.start()
        for thread in waiting:
            thread.join(5)
    assert seen == [(True, "One two")] * 3


def test_the_future_of_an_ended_run_is_done(runner: Runner, log: Log) -> None:
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        logged(log, run)
    assert run.written.done()


def test_a_failing_database_blocks_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = Log(f"sqlite:///{tmp_path / 'file' / 'log.sqlite3'}")
    runner = Runner(log)
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        run = runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        run.written.result(5)
    assert (run.finished, run.record().text) == (True, "Hi")
    runner.shutdown()
    log.close()


class _Gate:
    """A gate that admits everything except the configured refusals, and records its calls in order."""

    def __init__(self, log: Log, *, admits: bool = True, refuses: str | None = None, fails: bool = False) -> None:
        self.seen: list[object] = []
        self._log = log
        self._admits = admits
        self._refuses = refuses
        self._fails = fails

    def admit(self, order: Order) -> None:
        self.seen.append((order.owner, order.network, order.body))
        if not self._admits:
            raise Refused("Not even this.")

    @contextmanager
    def enter(self, run: Run) -> Iterator[Callable[[Outcome], None]]:
        with self._log.database.reader.begin() as reader:
            self.seen.extend(reader.exec_driver_sql("select status from runs").scalars())
        if self._fails:
            raise ZeroDivisionError("a bug")
        if self._refuses:
            raise Refused(self._refuses)
        yield lambda outcome: self.seen.append(outcome.text)
        self.seen.append("left")


def test_a_run_passes_the_gate_after_its_commit_and_leaves_it_at_its_end(log: Log) -> None:
    gate = _Gate(log)
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        run = Runner(log, gate=gate).start(order_of(endpoint_at(server.base_url), REQUEST, network="there"))
        assert logged(log, run).status == "ok"
    assert gate.seen == [("local", "there", to_bytes(REQUEST)), "running", "Hi", "left"]


def test_a_run_refused_by_the_gate_is_logged_and_never_sent(log: Log) -> None:
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        run = Runner(log, gate=_Gate(log, refuses="Come again.")).start(order_of(endpoint_at(server.base_url), REQUEST))
        found = logged(log, run)
        assert server.requests == []
    assert (found.status, found.error_kind, found.error_message) == ("rejected", "refused_here", "Come again.")


def test_a_run_that_the_gate_does_not_admit_is_not_logged(log: Log) -> None:
    runner = Runner(log, gate=_Gate(log, admits=False))
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        with pytest.raises(Refused, match="Not even this"):
            runner.start(order_of(endpoint_at(server.base_url), REQUEST))
        assert server.requests == []
    with log.database.reader.begin() as reader:
        assert not reader.exec_driver_sql("select id from runs").all()


def test_a_failing_gate_admits_no_run(log: Log, caplog: pytest.LogCaptureFixture) -> None:
    with serve(sending(head() + chunk("Hi", "stop") + DONE)) as server:
        run = Runner(log, gate=_Gate(log, fails=True)).start(order_of(endpoint_at(server.base_url), REQUEST))
        assert logged(log, run).error_kind == "internal"
        assert server.requests == []
    assert "a bug" in caplog.text


def test_a_visitors_endpoint_with_a_private_address_receives_no_byte(runner: Runner, log: Log) -> None:
    with recording() as recorder:
        base_url = f"http://localhost:{recorder.port}/v1"
        texts = {"base_url": base_url, "key": "canary", "dialect": "beezy", "model": "m"}
        typed = {EndpointField(field): text for field, text in texts.items()}
        endpoint = own_endpoint(typed, Settings(own_endpoints=True))
        found = logged(log, runner.start(order_of(endpoint, REQUEST)))
        assert recorder.seen() == (0, b"")
    assert (found.status, found.error_kind, found.attempts) == ("rejected", "address_refused", 1)
