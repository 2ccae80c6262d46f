"""The wording of this package's errors."""

from __future__ import annotations

CHECK_UNKNOWN = "There is no check {kind}.{near} The kinds are {kinds}."
CHECK_MEANT = " Did you mean {kind}?"
CHECK_WRONG = "The check {kind} cannot be made: {problem}."
CHECK_HAS_NO = "there is no such field; it has {known}"
RUN_NOT_ENDED_WELL = "There is no complete answer: the run is {status}."
NOT_JUDGED = "Not judged yet."
NO_VALUE = "There is no value for {{{{{name}}}}}: neither a column of the data set nor a variable has this name."
