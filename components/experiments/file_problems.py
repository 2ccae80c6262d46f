"""The problems of a file that a person writes, each with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping

from pydantic import BaseModel, ValidationError

from components.experiments import sentences
from components.experiments.problem import SweepProblem
from components.experiments.yaml_text import Document, Path


class FileProblem(SweepProblem):
    """A file or its rules cannot be read or written; the sentence names the line."""


def wrong(
    document: Document, error: ValidationError, models: Mapping[Path, type[BaseModel]], before: Path = ()
) -> FileProblem:
    """The first problem that pydantic found, at its line.

    ``models`` are those of the parts by their path without numbers; ``before`` is the path of the document's part.
    """
    first = error.errors()[0]
    path: Path = before
    for step in first["loc"]:
        # Steps for a member of a union are internal to pydantic.
        if (*path, step) in document.lines or first["type"] == "missing":
            path = (*path, step)
    kind, context = first["type"], first.get("ctx", {})
    match kind:
        case "extra_forbidden":
            names = tuple(step for step in path[len(before) : -1] if isinstance(step, str))
            known = models[names].model_fields
            return FileProblem(sentence_at(document, path, no_field(str(path[-1]), known)))
        case "missing":
            return FileProblem(sentence_at(document, path[:-1], sentences.FILE_MISSING.format(name=path[-1])))
        case "string_type":
            what = "must be a text. Put it in quotation marks"
        case "literal_error":
            what = f"must be {context['expected']}"
        case "dict_type" | "model_type" | "model_attributes_type":
            what = "must have names and values below it"
        case "list_type":
            what = "must be a list, each entry behind a dash"
        case _:
            what = re.sub(
                r"^(Input|List|String|Dictionary) should ", "must ", first["msg"].removeprefix("Value error, ")
            )
            what = what.replace(" after validation", "")
    return FileProblem(sentence_at(document, path, what))


def no_field(name: str, names: Collection[str], more: str = "", what: str = "field") -> str:
    """The problem with a name that is none of those known."""
    near = difflib.get_close_matches(name, names, 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}."
    return sentences.FILE_NO_FIELD.format(what=what, name=name, hint=f"{hint} {more}".strip())


def sentence_at(document: Document, path: Path, what: str) -> str:
    """A problem as a sentence with the line of its part."""
    names = [step for step in path if isinstance(step, str)]
    if names and what.startswith(("must", "is ", "does ", "needs ")):
        what = f"{names[-1]} {what}"
    elif names and what[:1].islower():
        what = f"{names[-1]}: {what}"
    return f"Line {document.line(path)}: {what}" + ("" if what.endswith((".", "?")) else ".")
