"""Converts a model's LaTeX formula to MathML that browsers draw well."""

from __future__ import annotations

import html
import re
import unicodedata
from itertools import pairwise
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element

_LONGEST_FORMULA = 2_000
_DEEPEST_FORMULA = 20

# Commands that can expand without limit, link elsewhere or imitate other content.
_REFUSED = re.compile(
    r"\\(?:def|newcommand|renewcommand|newenvironment|DeclareMathOperator|href|class|style|begin\s*\{\w*tabular)(?![a-z])"
)
_REWRITTEN: list[tuple[re.Pattern[str], str]] = [
    # Environments unknown to the converter, with the nearest known ones.
    (re.compile(r"\\(begin|end)\s*\{(?:aligned|align|split|eqnarray)\*?\}"), r"\\\1{align*}"),
    (re.compile(r"\\(begin|end)\s*\{(?:gathered|gather|multline)\*?\}"), r"\\\1{matrix}"),
    (re.compile(r"\\(begin|end)\s*\{[dr]?cases\*?\}"), r"\\\1{cases}"),
    # Braces keep the brackets of a matrix and its exponent from forming one row.
    (re.compile(r"\\begin\s*\{[pbBvV]matrix\*?\}"), r"{\g<0>"),
    (re.compile(r"\\end\s*\{[pbBvV]matrix\*?\}"), r"\g<0>}"),
    (re.compile(r"\\(math(?:bb|bf|cal|frak|scr)) +([A-Za-z])"), r"\\\1{\2}"),
    (re.compile(r"\\tag(?=\s*\*?\s*\{)"), r"\\qquad\\tag"),
]
_REFERENCE = re.compile(r"&#x[0-9A-Fa-f]+;")
_SMALL_LENGTH = re.compile(
    r"[-+]?\d?(?:\.\d+)?(?:em|ex|cm|mu)|[-+]?\d{1,2}(?:\.\d+)?(?:pt|px|mm|mu)|-?[01](?:\.\d+)?(?:width)?"
)
_NAMED_LENGTHS = {
    "thinmathspace": "0.167em",
    "thickmathspace": "0.278em",
    "negativethinmathspace": "-0.167em",
    "negativemediummathspace": "-0.222em",
    "negativethickmathspace": "-0.278em",
}
_SUBSTITUTES = {"\u29f5": "\u2216"}
_STRAIGHT_LINES = {"mover": "top", "munder": "bottom"}
_THIN = "0.167em"
_WITH_LIMITS = {*"∑∏∐⋀⋁⋂⋃⨀⨁⨂", "lim", "max", "min", "sup", "inf"}
_UNDER_AND_OVER = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_ARGUMENTS = {
    "mfrac": 2, "mover": 2, "mroot": 2, "msub": 2, "msubsup": 3, "msup": 2, "munder": 2, "munderover": 3
}  # fmt: skip
_NO_OPERATORS = "∞∅∂∇∀∃′…"


def mathml(source: str, *, displayed: bool) -> str | None:
    """The formula as MathML; None if it is too large or not understood."""
    if len(source) > _LONGEST_FORMULA or _REFUSED.search(source) or _depth(source) > _DEEPEST_FORMULA:
        return None
    if displayed and "\\\\" in source and "\\begin" not in source:
        source = f"\\begin{{matrix}}{source}\\end{{matrix}}"
    for pattern, replacement in _REWRITTEN:
        source = pattern.sub(replacement, source)
    try:
        formula = convert_to_element(source, xmlns="", display="block" if displayed else "inline")
    except Exception:  # noqa: BLE001
        # The converter has a dozen errors without a common base, and raises others on unexpected input. On any
        # of them the formula is shown as its source.
        return None
    del formula.attrib["xmlns"]
    if not all(_adapt(element) for element in formula.iter()):
        return None
    for element in formula.iter():
        _space_names(element)
    return tostring(formula, encoding="unicode", short_empty_elements=False)


def _depth(source: str) -> int:
    depth = deepest = 0
    for mark in re.findall(r"\\[{}]|[{}]|\\(?:left|begin|right|end)(?![a-z])", source):
        depth += {"{": 1, "\\left": 1, "\\begin": 1, "}": -1, "\\right": -1, "\\end": -1}.get(mark, 0)
        deepest = max(deepest, depth)
    return deepest


def _adapt(element: Element) -> bool:
    """Adapt the converter's MathML so that browsers draw it like TeX; false if part was not understood."""
    text = element.text or ""
    if element.tag in ("mi", "mo") and (text == "&" or re.match(r"\\[A-Za-z]", text)):
        return False
    if len(element) != _ARGUMENTS.get(element.tag, len(element)):
        return False
    if element.get("width", "").startswith("+"):
        # The label of an arrow; browsers ignore relative widths.
        element.attrib.clear()
    for name in {"depth", "height", "lspace", "voffset", "width"} & set(element.keys()):
        length = _NAMED_LENGTHS.get(element.attrib[name], element.attrib[name])
        if not _SMALL_LENGTH.fullmatch(length):
            return False
        element.set(name, length)
    # The converter emits character references, which would be escaped again.
    text = _REFERENCE.sub(lambda match: html.unescape(match[0]), text)
    element.text = text = _SUBSTITUTES.get(text, text)
    if element.tag == "mtext":
        element.text = re.sub(r"\\([_%$&#{} ])", r"\1", text)
    elif element.tag == "mi" and len(text) == 1:
        if unicodedata.category(text) in ("Sm", "Ps", "Pe") and text not in _NO_OPERATORS:
            element.tag = "mo"
            element.set("stretchy", "false")
        elif "Α" <= text <= "Ω":
            element.set("mathvariant", "normal")
    elif element.tag == "mo" and text in _NO_OPERATORS:
        element.tag = "mi"
    if element.tag in ("mi", "mo") and len(text) > 1 and text.replace("\u2006", "").replace("\u2009", "").isalpha():
        element.tag = "mo"
        element.attrib.update({"form": "prefix", "lspace": _THIN, "rspace": _THIN})
    if element.tag in _STRAIGHT_LINES and element[1].text == "&#x02015;":
        # A line as long as its content.
        element.attrib.clear()
        element.set("notation", _STRAIGHT_LINES[element.tag])
        element.tag = "menclose"
        del element[1]
    if element.tag in _UNDER_AND_OVER and element[0].tag == "mo" and _takes_limits(element[0]):
        element[0].set("movablelimits", "true")
        element.tag = _UNDER_AND_OVER[element.tag]
    return True


def _takes_limits(operator: Element) -> bool:
    text = _REFERENCE.sub(lambda match: html.unescape(match[0]), operator.text or "")
    return text in _WITH_LIMITS or operator.get("movablelimits") == "true"


def _space_names(row: Element) -> None:
    """Remove the space of a function's name at the start of a row and before a bracket."""
    if len(row) and row[0].get("lspace") == _THIN:
        row[0].set("lspace", "0em")
    for name, argument in pairwise(row):
        if name.get("rspace") == _THIN and argument.text in ("(", "["):
            name.set("rspace", "0em")
