"""The win rate of each setting in side-by-side votes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from components.experiments.cases import pass_rate
from components.experiments.store import Better, Judgement


@dataclass(frozen=True)
class WinRate:
    """The results of one setting. ``rate`` is wins among wins and losses, from 0 to 1.

    With 95 % confidence the true share lies between ``low`` and ``high``. All three are None without a decision.
    """

    setting: str
    wins: int
    losses: int
    ties: int
    both_bad: int
    rate: float | None
    low: float | None
    high: float | None


def win_rates(judgements: Iterable[Judgement]) -> list[WinRate]:
    """The win rate of each judged setting, best first, undecided settings last.

    Ties and pairs of bad answers are counted but not part of the rate. A setting judged against itself is skipped.
    The interval is Wilson's score interval: E. B. Wilson, "Probable inference, the law
    of succession, and statistical inference", Journal of the American Statistical Association 22 (1927).
    """
    settings: dict[str, None] = {}
    wins, losses, ties, both_bad = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for judgement in judgements:
        if judgement.first == judgement.second:
            continue
        pair = judgement.first, judgement.second
        settings.update(dict.fromkeys(pair))
        match judgement.verdict:
            case Better.FIRST:
                wins[judgement.first] += 1
                losses[judgement.second] += 1
            case Better.SECOND:
                wins[judgement.second] += 1
                losses[judgement.first] += 1
            case Better.TIE:
                ties.update(pair)
            case Better.BOTH_BAD:
                both_bad.update(pair)
    rates = [_win_rate(name, wins[name], losses[name], ties[name], both_bad[name]) for name in settings]
    return sorted(rates, key=lambda rate: (rate.rate is None, -(rate.rate or 0.0)))


def _win_rate(setting: str, wins: int, losses: int, ties: int, both_bad: int) -> WinRate:
    decided = wins + losses
    if not decided:
        return WinRate(setting, wins, losses, ties, both_bad, None, None, None)
    share = pass_rate(wins, decided)
    return WinRate(setting, wins, losses, ties, both_bad, share.rate, share.low, share.high)
