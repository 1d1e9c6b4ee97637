"""What a reader sees in place of what records and Python write: methods' names, minus signs.

A method has one name in every figure, table and sentence of the book. Records, commands and code
have those of `dcl.methods.METHODS`; the glossary gives both.
"""

import re

PRIOR = "cross-entropy, prior"  # the row of cross entropy decided at the training prior
NAMES = {
    "cross-entropy": "cross entropy",
    PRIOR: "moved threshold",
    "dcl": "DCL",
    "dcl-ss": "DCL-SS",
    "dcl-ss-tl": "DCL-SS-TL",
    "selective-learning": "Selective Learning",
    "crl": "CRL",
    "crl-original": "CRL-original",
    "lmle": "LMLE",
    "logit-adjustment": "logit adjustment",
    "ldam-drw": "LDAM-DRW",
    "asl": "ASL",
    "deepmar": "DeepMAR",
    "crt": "cRT",
}
MINUS = re.compile(r"(?<![\w.)\]\N{EN DASH}\N{MINUS SIGN}-])-(?=\d)")
_NAME = re.compile(
    r"(?<![\w/.-])(?<!-m )(?<!import )(?:"
    + "|".join(map(re.escape, sorted(NAMES, key=len, reverse=True)))
    + r")(?![\w/-]|\.\w)"
)


def called(method: str) -> str:
    """The name that a reader is told; that of the records where they are the same.

    Examples
    --------
    >>> called("selective-learning"), called("over-sampling")
    ('Selective Learning', 'over-sampling')
    """
    return NAMES.get(method, method)


def named(text: str) -> str:
    """A text with the names that readers know in place of those of the records; paths are kept."""
    return _NAME.sub(lambda name: NAMES[name[0]], text)


def told(text: str) -> str:
    """A text of a table or figure as a reader sees it: `named`, with minus signs.

    Examples
    --------
    >>> told("dcl-ss-tl to dcl: -0.5")
    'DCL-SS-TL to DCL: −0.5'
    >>> told("minus cross-entropy, prior (runs/dcl/cross-entropy.json)")
    'minus moved threshold (runs/dcl/cross-entropy.json)'
    """
    return MINUS.sub("\N{MINUS SIGN}", named(text))
