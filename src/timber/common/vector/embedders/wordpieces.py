"""Texts as numbers of word pieces, as BERT and its descendants read them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from timber.common.vector.embedders.loading import refuse_other
from timber.common.vector.numerics import needed

VOCABULARY: Final = Path(__file__).parent / "models" / "bert-base-uncased.txt"
_UNKNOWN: Final = "[UNK]"
_SHA256: Final = "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
_CHARACTERS: Final = 64
"""Characters per piece beyond which a text is cut before it is read: a bound, not a measure."""


class WordPieces:
    """Cuts texts into the pieces of the vocabulary of `bert-base-uncased`.

    It makes no difference of capitals and accents, and takes the names of marks for text. A text
    has `limit` pieces at the most, its first ones; with `marked`, the marks of beginning and end
    are two of them.
    """

    def __init__(self, *, limit: int, marked: bool) -> None:
        feature = "reading texts as word pieces"
        tokenizers = needed("tokenizers", feature=feature, extra="vectors")
        refuse_other(
            VOCABULARY, expected=_SHA256, feature=feature, cure="install puppet-engine again"
        )
        pieces = VOCABULARY.read_text(encoding="utf-8").splitlines()
        self.unknown: Final = pieces.index(_UNKNOWN)
        """The number of what the vocabulary has no pieces for."""
        self._limit = limit
        self._marked = marked
        self._tokenizer = _tokenizer(tokenizers, pieces)
        self._tokenizer.enable_truncation(max_length=limit)

    def numbers(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the numbers of the pieces of each text."""
        # Without the cut, a book would be read whole for the sake of its first page.
        cut = [text[: self._limit * _CHARACTERS] for text in texts]
        read = self._tokenizer.encode_batch_fast(cut, add_special_tokens=self._marked)
        return [encoding.ids for encoding in read]

    def save(self, file: Path) -> None:
        """Write what it does as a `tokenizer.json`, which other libraries read."""
        self._tokenizer.save(str(file))


def _tokenizer(tokenizers: Any, pieces: Sequence[str]) -> Any:
    numbers = {piece: number for number, piece in enumerate(pieces)}
    pieces_of_words = tokenizers.models.WordPiece(numbers, unk_token=_UNKNOWN)
    tokenizer = tokenizers.Tokenizer(pieces_of_words)
    tokenizer.normalizer = tokenizers.normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    end, beginning = (("[SEP]", numbers["[SEP]"]), ("[CLS]", numbers["[CLS]"]))
    tokenizer.post_processor = tokenizers.processors.BertProcessing(end, beginning)
    return tokenizer
