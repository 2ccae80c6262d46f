"""Sanitizes all HTML made from a model's text: only the listed HTML remains."""

from __future__ import annotations

import nh3
from pygments.token import STANDARD_TYPES

MATHML = {
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mn": {"mathvariant"},
    "mo": {
        "accent", "fence", "form", "largeop", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits",
        "rspace", "separator", "stretchy",
    },
    "mover": {"accent"},
    "mpadded": {"depth", "height", "lspace", "mathbackground", "voffset", "width"},
    "mphantom": set(),
    "mroot": set(),
    "mrow": {"mathcolor", "mathvariant"},
    "mspace": {"depth", "height", "linebreak", "mathbackground", "width"},
    "msqrt": set(),
    "mstyle": {"displaystyle", "mathcolor", "mathvariant", "scriptlevel"},
    "msub": set(),
    "msubsup": set(),
    "msup": set(),
    "mtable": {"columnlines", "columnspacing", "displaystyle", "rowlines", "rowspacing"},
    "mtd": {"columnalign"},
    "mtext": {"mathvariant"},
    "mtr": set(),
    "munder": {"accentunder"},
    "munderover": set(),
}  # fmt: skip
HTML = {
    "a": {"href", "title"},
    "button": {"aria-label", "type"},
    "ol": {"dir", "start"},
    **{tag: {"dir"} for tag in ("blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "li", "p", "td", "th", "ul")},
}
BARE_HTML = {"br", "code", "div", "em", "hr", "pre", "s", "span", "strong", "table", "tbody", "thead", "tr"}
_CLEANER = nh3.Cleaner(
    tags={*MATHML, *HTML, *BARE_HTML},
    clean_content_tags=set(),
    attributes={**MATHML, **HTML},
    allowed_classes={
        "button": {"copy"},
        "div": {"code", "formula", "table"},
        "li": {"task"},
        "span": {"formula", "wide", *STANDARD_TYPES.values()},
        "td": {"left", "center", "right"},
        "th": {"left", "center", "right"},
    },
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitized(markup: str) -> str:
    """The markup, reduced to the allowed HTML."""
    return _CLEANER.clean(markup)
