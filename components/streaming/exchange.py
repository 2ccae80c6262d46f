"""The state that the readers of one answer share, and the faults that an endpoint reports in its own words."""

from __future__ import annotations

from dataclasses import dataclass

from components.contract.errors import read_error
from components.contract.other_apis import other_api
from components.streaming import sentences
from components.streaming.answer import Answer
from components.streaming.faults import ErrorKind, StreamFault
from components.streaming.limits import Limits
from components.streaming.masking import Mask
from components.streaming.moments import Moments
from components.streaming.watch import Watch


@dataclass(frozen=True)
class Exchange:
    """One call and its answer. ``streaming`` says whether ``body`` asks for a stream; ``mask`` knows the key."""

    url: str
    body: bytes
    streaming: bool
    limits: Limits
    mask: Mask | None
    answer: Answer
    moments: Moments
    watch: Watch

    def hide(self, text: str, *, cut: bool = False) -> str:
        """The text without the key. ``cut``: a limit ended the text, so its end may be the beginning of the key."""
        return self.mask.out_of(text, cut=cut) if self.mask else text

    def raise_if_ended(self) -> None:
        """Raise the fault of an exchange that was stopped or has exceeded a time limit."""
        if ended := self.watch.ended:
            raise sentences.ended(ended, self.limits, self.url)

    def reported_fault(self, report: str, data: str) -> StreamFault:
        """The fault that ``report``, a part of ``data``, describes."""
        error = read_error(report, hide=self.hide)
        return StreamFault(ErrorKind.SERVER_ERROR_EVENT, error.sentence, raw=self.hide(data))

    def fault_of_other_api(self, data: str) -> StreamFault | None:
        """The fault of an answer in the format of another API; None for other data."""
        api = other_api(data)
        return api and sentences.other_api(*api, self.hide(data)[: self.limits.max_error_body_bytes])
