"""What a reader sees in place of what records and Python write: methods' names, signs.

A method has one name in every figure, table and sentence of the book. Records, commands and code
have those of `dcl.methods.METHODS`; the glossary gives both.
"""

import re

PLAIN = "cross-entropy"
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
    "clmle": "CLMLE",  # of the paper alone
    "logit-adjustment": "logit adjustment",
    "ldam-drw": "LDAM-DRW",
    "asl": "ASL",
    "deepmar": "DeepMAR",
    "crt": "cRT",
}
MINUS = re.compile(r"(?<![\w.)\]\N{EN DASH}\N{MINUS SIGN}-])-(?=\d)")
TIMES = re.compile(r"(?<![\w./-])([1-9]\d*) ?x ?(?=[1-9]\d*(?![\w/]))")  # 64x64
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
    """A text of a table or figure as a reader sees it: `named`, with `signs`.

    Examples
    --------
    >>> told("dcl-ss-tl to dcl: -0.5")
    'DCL-SS-TL to DCL: −0.5'
    >>> told("minus cross-entropy, prior (runs/dcl/cross-entropy.json)")
    'minus moved threshold (runs/dcl/cross-entropy.json)'
    """
    return signs(named(text))


def signs(text: str) -> str:
    """A text with minus and times signs in place of hyphens and of the letter x.

    Examples
    --------
    >>> signs("CelebA, 30,000 images at 64x64: -0.5")
    'CelebA, 30,000 images at 64 × 64: −0.5'
    """
    return TIMES.sub("\\1 \N{MULTIPLICATION SIGN} ", MINUS.sub("\N{MINUS SIGN}", text))
