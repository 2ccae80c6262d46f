"""The check that another endpoint makes."""

from __future__ import annotations

import regex
from pydantic import field_validator

from components.checks import sentences
from components.checks.check import Answer, Check, Result, Text, quoted
from components.checks.value_checks import NUMBER
from components.drafts.variables import filled, names_in

_SCORE = regex.compile(r"(?i)\b(?:score|rating)\b\W{0,8}([-+]?\d+(?:\.\d+)?)|\b(\d+(?:\.\d+)?) ?/ ?\d+\b")
_VERDICT = regex.compile(r"(?i)\b(pass(?:ed|es)?|fail(?:ed|s)?)\b")


class Judge(Check):
    """Another endpoint's opinion: its answer to a prompt with ``{{answer}}``.

    With ``at_least`` the opinion is a score, else pass or fail. ``endpoint`` and ``model`` default to those of the
    run.
    """

    kind = "judge"
    bare = "prompt"
    prompt: Text
    endpoint: str | None = None
    model: str | None = None
    at_least: float | None = None

    @field_validator("prompt")
    @classmethod
    def _shows_the_answer(cls, prompt: str) -> str:
        if "answer" not in names_in([prompt]):
            raise ValueError("the prompt needs {{answer}}")
        return prompt

    @property
    def words(self) -> str:
        """The check in words."""
        name = self.model or self.endpoint or "the judge"
        return f"{name} says {'pass' if self.at_least is None else f'at least {self.at_least:g}'}"

    @property
    def variable_names(self) -> list[str]:
        """The columns of its prompt; the answer is none."""
        return [name for name in super().variable_names if name != "answer"]

    def question(self, answer: Answer) -> str:
        """The prompt for this answer."""
        return filled(self.prompt, {"answer": answer.text})

    def judge(self, answer: Answer) -> Result:
        """Not known before the question is answered."""
        return Result(None, sentences.NOT_JUDGED)

    def opinion(self, reply: str) -> Result:
        """The result of the judge's answer."""
        if self.at_least is None:
            verdicts = {verdict[:4].lower() for verdict in _VERDICT.findall(reply)}
            if len(verdicts) == 1:
                return Result(verdicts == {"pass"}, f"The judge says {quoted(reply.strip())}.")
            return Result(None, f"The judge says neither pass nor fail, or both: {quoted(reply.strip())}.")
        scores = [labelled or fraction for labelled, fraction in _SCORE.findall(reply)] or NUMBER.findall(reply)
        if len(set(scores)) != 1:
            return Result(None, f"The judge gives no single score: {quoted(reply.strip())}.")
        score = float(scores[0].replace(",", ""))
        return Result(score >= self.at_least, f"The judge's score is {score:g}.")
