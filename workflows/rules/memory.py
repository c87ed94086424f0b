"""Rules of shared memory: the one spelling of a key, what is searched, whom to believe, what has to be refused."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

KEY_AT_MOST = 300
WORD_AT_MOST = 60
WORDS_AT_MOST = 5_000
SUGGESTS = 1  # the highest level of autonomy at which a person acts on what an agent says
HAPPENED_IN_STEP = "Its author had read from a source that is not trusted."

LOW, USUAL, CONFIRMED = "low", "usual", "confirmed"
PUBLIC, INTERNAL, CONFIDENTIAL = "public", "internal", "confidential"
SENSITIVITIES = (PUBLIC, INTERNAL, CONFIDENTIAL)

_WORD = re.compile(r"[^\W_]+")
_PIECE = re.compile(r"\S{1,500}")
_HIDDEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_ORDERS = tuple(
    (re.compile(pattern, re.IGNORECASE | re.DOTALL), said)
    for pattern, said in (
        (
            r"\b(ignore|disregard|forget|override)\b.{0,40}\b(previous|prior|above|earlier|all|any|your)\b.{0,30}"
            r"\b(instructions?|prompts?|rules?|orders?|polic(y|ies)|messages?)\b",
            "It tells the reader to ignore instructions.",
        ),
        (
            r"\b(you are now|from now on,? you|act as if you|pretend (to be|you are))\b",
            "It tells the reader what to be.",
        ),
        (
            r"\b(system prompt|developer message|jailbreak|prompt injection)\b",
            "It speaks of what its reader was told to do.",
        ),
        (
            r"<\|?(im_start|im_end|system|assistant|endoftext)\|?>|\[/?INST\]|<<SYS>>",
            "It holds the marks of a conversation.",
        ),
        (
            r"\b(do not|don't|never|without)\b.{0,20}\b(tell|inform|ask|mention|alert|notify)\w*\b.{0,20}"
            r"\b(user|human|person|reviewer|anyone|anybody)\b",
            "It asks to keep something from people.",
        ),
        (
            r"\b(call|use|invoke|run)\b.{0,20}\b(tool|function)\b.{0,60}\b(transfer|pay|send|delete|approve)\w*",
            "It orders an act.",
        ),
    )
)
_SECRETS = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"-----BEGIN [A-Z ]*PRIVATE KEY-----", "a private key"),
        (r"\baos_(live|for)_[0-9a-f]{12}_[A-Za-z0-9_-]{32,}", "a key of an agent"),
        (r"\b(AKIA|ASIA)[0-9A-Z]{16}\b", "an access key of a cloud"),
        (r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{22,}", "a token of GitHub"),
        (r"\bxox[abprs]-[A-Za-z0-9-]{10,}", "a token of Slack"),
        (r"\b[sr]k_live_[A-Za-z0-9]{16,}", "a key of a payment service"),
        # from the point after its head: every `eyJ` of a long text may begin one, and each would be read to the end
        (r"(?<=[A-Za-z0-9_-]{11})\.eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}", "a signed token"),
        (r"(?i)\b(password|passwd|pwd|client_secret|api[_-]?key)\b[\"']?\s*[:=]\s*[\"']?[^\s\"',;]{6,}", "a password"),
    )
)  # fmt: skip
_SECRET_NAMES = re.compile(r"(?i)^(password|passwd|pwd|client_?secret|api[_-]?key|private_?key|access_?token)$")


def canonical_key(text: str) -> str:
    """The one spelling of a key: composed Unicode, small letters, single spaces; empty or too long is for the caller
    to refuse."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


# --- search ---------------------------------------------------------------------------------------------------
def words_in(text: str) -> list[str]:
    """The words of a text as they are searched: small letters and digits, each once, in their order."""
    # Piece by piece: marks without an end above one letter are put in order at a cost that grows with their square.
    plain = " ".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text)).casefold()
    return list(dict.fromkeys(word[:WORD_AT_MOST] for word in _WORD.findall(plain)))


def words_of(key: str, value: Any, text: str = "") -> str:
    """What of a fact is searched, as words with a space between."""
    return " ".join(words_in("\n".join([key, *texts_in(value), text]))[:WORDS_AT_MOST])


def texts_in(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names and numbers as well, in its order."""
    heap: list[Any] = [value]
    while heap:
        top = heap.pop()
        if isinstance(top, Mapping):
            heap.extend(each for pair in reversed(list(top.items())) for each in (pair[1], str(pair[0])))
        elif isinstance(top, list | tuple):
            heap.extend(reversed(top))
        elif top is not None and not isinstance(top, bool):
            yield str(top)


# --- whom to believe ------------------------------------------------------------------------------------------
def marks_in(texts: Iterable[str]) -> list[str]:
    """What in the texts looks as if it were meant to steer whoever reads them, as sentences, each once."""
    whole = "\n".join(texts)
    found = [said for pattern, said in _ORDERS if pattern.search(_HIDDEN.sub("", whole))]
    return [*found, "It holds characters that nobody sees."] if _HIDDEN.search(whole) else found


def why_low(*, autonomy: int, tainted: bool, marks: Sequence[str], sources: Iterable[str]) -> list[str]:
    """Why a finding is not believed before somebody else has confirmed it, as sentences; nothing when it is.
    `sources` holds the trust of the facts that it was derived from."""
    reasons = list(marks)
    if autonomy <= SUGGESTS:
        reasons.append("A person acts on what its author suggests.")
    if tainted:
        reasons.append(HAPPENED_IN_STEP)
    if LOW in set(sources):
        reasons.append("It was derived from a fact that nobody has confirmed.")
    return reasons


def most_sensitive(*levels: str) -> str:
    """The strictest of the levels: what was derived is kept as close as what it came from."""
    return max(levels, key=SENSITIVITIES.index)


# --- what is refused ------------------------------------------------------------------------------------------
def secrets_in(value: Any, text: str = "") -> str:
    """What kind of secret the finding holds, empty without one."""
    for each in (*texts_in(value), text):
        for pattern, said in _SECRETS:
            if pattern.search(each):
                return said
    return "a password" if _named_secret(value) else ""


def _named_secret(value: Any) -> bool:
    if isinstance(value, Mapping):
        named = any(_SECRET_NAMES.match(str(name)) and isinstance(held, str) and held for name, held in value.items())
        return named or any(_named_secret(held) for held in value.values())
    return isinstance(value, list | tuple) and any(_named_secret(each) for each in value)


_BEGINNINGS = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": (b"PK\x03\x04",),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": (b"PK\x03\x04",),
}
_TEXTS = ("text/plain", "text/csv", "text/markdown", "application/json", "application/xml")
FILE_TYPES = (*_BEGINNINGS, *_TEXTS)
"""What kinds of files are kept."""


def why_not_file(content_type: str, content: bytes) -> str:
    """Why the file is not kept, as a sentence: its kind is not known, or it is not what it says; nothing when it is."""
    if content_type not in FILE_TYPES:
        return f"Files of the type {content_type[:80]} are not kept; send one of {', '.join(FILE_TYPES)}."
    if content_type in _TEXTS:
        return "" if _is_text(content) else f"The file says that it is {content_type}, but it is no text in UTF-8."
    fits = content.startswith(_BEGINNINGS[content_type])
    return "" if fits else f"The file says that it is {content_type}, but it does not begin like one."


def text_of_file(content_type: str, content: bytes) -> str:
    """The text of a file that is searched and looked through; empty for one that is no text."""
    return content.decode() if content_type in _TEXTS and _is_text(content) else ""


def _is_text(content: bytes) -> bool:
    try:
        return "\0" not in content.decode()
    except UnicodeDecodeError:
        return False


# --- what came of what ----------------------------------------------------------------------------------------
def closure(first: Iterable[int], derived: Callable[[list[int]], Iterable[tuple[int, int]]], at_most: int) -> list[int]:
    """The first and everything derived from them, in rising order; `derived` gives (source, fact) for these sources.
    Stops once there are more than `at_most`: the caller sees it by their number."""
    known, level = set(first), sorted(set(first))
    while level and len(known) <= at_most:
        found = {fact for _, fact in derived(level)} - known
        known |= found
        level = sorted(found)
    return sorted(known)


_GAP = re.compile(r"\{\s*((?:vars|loop)(?:\.[A-Za-z_][A-Za-z0-9_]*)+)\s*\}")


def filled_key(template: str, variables: Mapping[str, Any], loop: Mapping[str, Any] | None = None) -> str:
    """The canonical key that the template gives with the variables of a run in its gaps, and what one of many instances
    is about as `loop`; empty where one is missing."""
    missing = False

    def fill(gap: re.Match[str]) -> str:
        nonlocal missing
        value: Any = {"vars": variables, "loop": loop or {}}
        for name in gap[1].split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        missing = missing or value is None or isinstance(value, Mapping | list)
        return str(value).lower() if isinstance(value, bool) else str(value)

    key = canonical_key(_GAP.sub(fill, template.replace("{{", "\0").replace("}}", "\1")))
    key = key.replace("\0", "{").replace("\1", "}")
    return "" if missing or len(key) > KEY_AT_MOST else key
