"""Group F: variants of the contract: errors in streams, missing and odd fields, choices, tools, usage."""

from __future__ import annotations

import json

from tests.faults.fault import FINISH, GOOD, HELLO, KEY, Fault, error, group, interrupted, ok, stream
from tests.faults.server import Play
from tests.streaming.endpoint import DONE, chunk, event

END = FINISH + DONE


def delta(fields: object, **choice: object) -> bytes:
    """The event of one chunk with this delta."""
    return event({"choices": [{"index": 0, "delta": fields, "finish_reason": None, **choice}]})


def message(text: str, **choice: object) -> bytes:
    """The event of a chunk with a message instead of a delta."""
    return event({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, **choice}]})


def odd(name: str, *events: bytes, text: str = "Hello", **more: object) -> Fault:
    """Odd events without loss of text."""
    return ok(name, stream(*events), text, **more)


def reported(name: str, data: bytes, says: str = "no such model") -> tuple[Fault, Fault]:
    """An error reported in an event, after some text and as the first event."""
    kind = "server_error_event"
    return (
        interrupted(name, kind, stream(HELLO, data), says=says),
        error(f"{name}_first", kind, stream(data), says=says),
    )


def reported_object(name: str, value: object, says: str = "no such model") -> tuple[Fault, Fault]:
    return reported(name, event(value), says)


def finish(reason: object) -> bytes:
    return event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})


def tool(*pieces: object, **choice: object) -> bytes:
    return delta({"tool_calls": list(pieces)}, **choice)


def empty(name: str, play: bytes | Play, **more: object) -> Fault:
    return error(name, "empty_answer", play, **more)


WORDS = "no such model"
_SILENT = "without a message"
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"a"'}}
REST = {"index": 0, "function": {"arguments": ": 1}"}}

DIALECTS = group(
    "F dialect",
    odd("ok", GOOD),
    *reported_object("error_in_stream", {"error": {"message": WORDS, "type": "x", "param": "model", "code": 404}}),
    *reported_object("error_in_stream_mistral", {"object": "error", "message": WORDS}),
    *reported_object("error_string", {"error": WORDS}),
    *reported_object("error_list", {"error": [{"message": WORDS}]}),
    *reported_object("error_nested", {"error": {"error": {"error": {"message": WORDS}}}}),
    *reported_object("error_with_detail", {"object": "error", "detail": [{"loc": ["body", "model"], "msg": WORDS}]}),
    *reported_object("error_number", {"error": 500}, _SILENT),
    *reported_object("error_true", {"error": True}, _SILENT),
    *reported_object("error_without_words", {"error": {"code": 500}}, _SILENT),
    *reported_object("error_null_message", {"error": {"message": None}}, _SILENT),
    *reported_object("error_with_choices", {"error": {"message": WORDS}, "choices": []}),
    *reported_object("error_html", {"error": {"message": f"<script>x</script><b>{WORDS}</b>"}}),
    *reported_object("error_with_key", {"error": {"message": f"{KEY} {WORDS}"}}, f"*** {WORDS}"),
    *reported_object("error_key_at_the_cut", {"error": "x" * 490 + KEY + "y" * 99}, "xxx***"),
    *reported_object("error_huge", {"error": {"message": WORDS + "x" * 900_000}}),
    *reported("event_error", b"event: error\n" + event({"message": WORDS})),
    *reported("event_error_text", b"event: error\n" + event(WORDS)),
    *reported("event_error_half_json", b"event: error\n" + event('{"message": "no such model')),
    *reported("llamacpp_error_field", b'error: {"code": 500, "message": "no such model"}\n\n'),
    *reported("llamacpp_error_text", b"error: no such model\n\n"),
    *reported_object("error_in_the_choice", {"choices": [{"delta": {}, "finish_reason": "error",
                                                          "error": {"code": 502, "message": WORDS}}]}),
    *reported_object("error_in_a_field_of_a_provider", {"choices": [{"delta": {}}], "x_groq": {"error": WORDS}}),
    *reported_object("error_in_base_resp", {"choices": None, "base_resp": {"status_code": 9, "status_msg": WORDS}}),
    *reported_object("words_without_error_key", {"detail": WORDS}),
    *reported_object("words_and_a_code", {"code": "InvalidParameter", "message": WORDS, "request_id": "r"}),
    *reported_object("error_msg_words", {"error_code": 17, "error_msg": WORDS}),
    interrupted("words_before_done", "server_error_event",
                stream(HELLO, event({"code": 50001, "message": WORDS}), DONE), says=WORDS),
    odd("words_behind_the_finish", HELLO, FINISH, event({"message": "have a nice day"}), DONE),
    odd("words_that_are_no_error", event({"message": "in the queue"}), GOOD),
    odd("error_null", event({"error": None, "choices": []}), GOOD),
    odd("error_false", event({"error": False}), event({"error": ""}), event({"error": {}}), GOOD),
    interrupted("finish_error", "finish_error", stream(HELLO, finish("error"), DONE)),
    error("finish_error_first", "finish_error", stream(finish("error"), DONE)),
    interrupted("finish_error_of_another", "finish_error",
                stream(HELLO, FINISH, chunk("x", index=1), chunk(index=1, finish="error"), DONE)),
    interrupted("error_behind_the_finish", "server_error_event", stream(HELLO, FINISH, event({"error": WORDS}))),
    *(
        odd(f"finish_{reason}", HELLO, finish(reason), DONE)
        for reason in ("length", "tool_calls", "content_filter", "model_length", "eos", "STOP", "s\x00op", "x" * 9999)
    ),
    odd("finish_unknown_without_done", HELLO, finish("because")),
    interrupted("finish_number_without_done", "closed_early", stream(HELLO, finish(1))),
    interrupted("finish_empty_without_done", "closed_early", stream(HELLO, finish(""))),
    interrupted("finish_object_without_done", "closed_early", stream(HELLO, finish({"type": "stop"}))),
    odd("finish_number_with_done", HELLO, finish(1), DONE, warns="without a finish_reason"),
    odd("finish_twice", HELLO, FINISH, FINISH, DONE),
    odd("finish_in_the_text", chunk("Hel"), chunk("lo", finish="stop")),
    odd("text_behind_the_finish", chunk("Hel"), FINISH, chunk("lo"), DONE),
    odd("n2_interleaved", chunk("Hel"), chunk("x", index=1), chunk("lo"), chunk("y", index=1), DONE),
    odd("n2_in_one_chunk", event({"choices": [{"index": 0, "delta": {"content": "Hello"}}, {"index": 1}]}), DONE),
    odd("second_choice_only_at_the_end", HELLO, chunk("x", index=1), DONE),
    interrupted("one_choice_of_two_without_finish", "closed_early", stream(HELLO, chunk("x", index=1), FINISH)),
    ok("first_choice_silent", stream(chunk("x", index=1), chunk(index=1, finish="stop"), FINISH, DONE), "",
       body=b'{"stream": true, "n": 2}'),
    odd("only_choice_at_index_3", chunk("Hel", index=3), chunk("lo", index=3), chunk(finish="stop", index=3), DONE),
    odd("another_choice_behind_the_only_one", chunk("Hello", index=1), chunk(index=1, finish="stop"), END),
    odd("index_counts_up", chunk("Hel"), chunk("l", index=1), chunk("o", index=2), chunk(index=3, finish="stop")),
    odd("index_counts_up_by_two", chunk("Hel"), chunk("l", index=2), chunk("o", index=4), DONE),
    odd("index_counts_once", chunk(""), chunk("Hel", index=1), chunk("lo", index=1), chunk(index=1, finish="stop")),
    odd("index_counts_up_to_the_end", chunk("Hel"), chunk("lo", index=1, finish="stop")),
    interrupted("index_counts_up_and_cut", "closed_early", stream(chunk("Hel"), chunk("lo", index=1))),
    odd("another_choice_of_one_that_is_over", chunk("Hello", finish="stop"), chunk("x", index=1), DONE),
    odd("many_choices", HELLO, *(chunk("x", index=index) for index in range(1, 200)), DONE, text="Hello" + "x" * 72),
    *(
        odd(f"index_{name}", delta({"content": "Hello"}, index=index), DONE)
        for name, index in [
            ("negative", -1), ("huge", 10**15), ("text", "0"), ("null", None), ("true", True), ("float", 0.5)
        ]
    ),
    odd("missing_index", event({"choices": [{"delta": {"content": "Hello"}}]}), DONE),
    odd("missing_delta", event({"choices": [{"index": 0}]}), GOOD),
    odd("null_delta", delta(None), GOOD),
    odd("text_delta", delta("text"), GOOD),
    odd("list_delta", delta([1]), GOOD),
    odd("null_choice", event({"choices": [None, 5, "x", []]}), GOOD),
    odd("missing_choices", event({"id": "c"}), GOOD, warns="had no choices"),
    odd("null_choices", event({"choices": None}), GOOD, warns="had no choices"),
    odd("choices_object", event({"choices": {"0": {}}}), GOOD, warns="had no choices"),
    odd("empty_choices_prompt_filter", event({"choices": [], "prompt_filter_results": [{}]}), GOOD),
    odd("message_for_delta", message("Hello", finish_reason="stop")),
    odd("message_behind_deltas", HELLO, message("Hello", finish_reason="stop")),
    odd("message_says_more", chunk("Hel"), message("Hello", delta={}), DONE),
    odd("messages_in_pieces", message("Hel"), message("lo"), DONE),
    odd("message_beside_delta", event({"choices": [{"message": {"content": "no"}, "delta": {"content": "Hello"}}]}),
        DONE),
    *(
        odd(f"{name}_content", delta({"content": content}), GOOD)
        for name, content in [
            ("null", None), ("number", 5), ("true", True), ("object", {}), ("empty", ""), ("list", [])
        ]
    ),
    odd("role_only", delta({"role": "assistant"}), GOOD),
    odd("odd_role", delta({"role": {"x": 1}, "content": "Hello"}), DONE),
    odd("content_list", delta({"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}), DONE),
    odd("content_list_unknown", delta({"content": [{"type": "text", "text": "Hello"}, {"type": "video", "url": "x"}]}),
        DONE, warns="'video'"),
    odd("content_list_junk", delta({"content": [None, 5, [], {}, {"type": "text"}, {"type": 5}, "Hello"]}), DONE,
        warns="skipped"),
    odd("content_thinking", delta({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
        GOOD),
    odd("reasoning_content", delta({"reasoning_content": "Hm."}), GOOD),
    odd("reasoning", delta({"reasoning": "Hm.", "content": None}), GOOD),
    odd("reasoning_object", delta({"reasoning": {"text": "Hm."}}), GOOD),
    empty("reasoning_only", stream(delta({"reasoning_content": "Hm."}), FINISH, DONE),
          says="sent reasoning but no answer"),
    odd("reasoning_cut_at_max_tokens", delta({"reasoning": "Hm."}), finish("length"), DONE, text=""),
    interrupted("reasoning_and_cut", "closed_early", stream(delta({"reasoning": "Hm."})), text=""),
    empty("no_word", stream(chunk(""), FINISH, DONE), says="ended without any text"),
    empty("done_only", stream(DONE)),
    empty("finish_only", stream(FINISH)),
    empty("tool_calls_without_a_call", stream(finish("tool_calls"), DONE)),
    *(
        empty(f"filtered_away_{reason}", stream(chunk(""), finish(reason), DONE), says="The content filter")
        for reason in ("content_filter", "content-filter", "SAFETY")
    ),
    empty("filtered_behind_its_thinking", stream(delta({"reasoning": "Hm."}), finish("content_filter"), DONE),
          says="The content filter"),
    odd("nothing_was_asked_for", chunk("", finish="length"), DONE, text=""),
    odd("refusal_beside_text", delta({"refusal": "no", "content": "Hello"}), DONE),
    odd("refusal_null", delta({"refusal": None, "content": "Hello"}), DONE),
    odd("tool_calls", tool(CALL), tool(REST), finish("tool_calls"), DONE, text=""),
    odd("tool_call_whole", tool({"id": "c", "function": {"name": "f", "arguments": {"a": 1}}}), END, text=""),
    odd("tool_call_bad_json", tool({"index": 0, "function": {"arguments": "{nope"}}), END, text=""),
    odd("tool_call_junk", tool(None, 5, "x", {}, {"index": -5, "function": 7}, {"id": {}}), GOOD),
    empty("function_call_of_nothing", stream(delta({"function_call": {"name": "", "arguments": ""}}), END)),
    empty("function_call_of_nulls", stream(delta({"function_call": {"name": None, "arguments": None}}), END)),
    empty("tool_call_of_nothing", stream(tool({"index": 0, "id": "", "function": {"name": None}}), END)),
    odd("tool_calls_object", delta({"tool_calls": {"0": {}}}), GOOD),
    odd("tool_call_and_text", tool(CALL), chunk("Hello"), END),
    odd("tool_call_many", tool(*({"index": n, "id": str(n)} for n in range(500))), END, text=""),
    odd("tool_call_deep", tool({"index": 0, "function": {"arguments": json.loads("[" * 300 + "]" * 300)}}), END,
        text=""),
    interrupted("tool_call_cut", "closed_early", stream(tool(CALL)), text=""),
    interrupted("tool_call_too_long", "deadline", stream(tool({"function": {"arguments": "x" * 2000}}), END), text="",
                limits={"max_text_chars": 1000}),
    *(
        odd(f"usage_{name}", HELLO, chunk(finish="stop", usage=usage), DONE)
        for name, usage in [
            ("null", None), ("empty", {}), ("list", [1]), ("text", "many"), ("negative", {"total_tokens": -1}),
            ("huge", {"total_tokens": 10**30}), ("float", {"prompt_tokens": 1.5}), ("of_text", {"total_tokens": "5"}),
            ("with_details", {"prompt_tokens": 1, "prompt_tokens_details": {"cached_tokens": 0}}),
        ]
    ),
    odd("usage_on_every_chunk", *(chunk(piece, usage={"completion_tokens": 1}) for piece in ("Hel", "lo")), END),
    odd("usage_chunk_at_the_end", HELLO, FINISH, event({"choices": [], "usage": {"total_tokens": 5}}), DONE),
    odd("usage_behind_done", GOOD, event({"choices": [], "usage": {"total_tokens": 5}})),
    odd("model_object", event({"model": {"x": 1}, "choices": []}), GOOD),
    odd("model_changes", chunk("Hello", model="a"), chunk(finish="stop", model="b\x00"), DONE),
    odd("odd_ids", event({"id": None, "created": "soon", "object": 5, "choices": []}), GOOD),
    odd("padding", event({"p": "x" * 100_000, "choices": []}), GOOD),
    odd("logprobs", delta({"content": "Hello"}, logprobs={"content": [{"token": "x", "logprob": -1e400}]}), DONE),
)  # fmt: skip
