"""tantivy: an index of texts and owners, read from its folder."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tantivy
from benchmarks.contenders.word_data import LIMIT, OWNERS, Texts, texts_of, trial
from benchmarks.harness.stage import Stage, Trial


@contextlib.contextmanager
def search(stage: Stage) -> Iterator[Trial]:
    """Search all texts for any of the words."""
    with _searching(stage, of_owner=False) as ready:
        yield ready


@contextlib.contextmanager
def search_owner(stage: Stage) -> Iterator[Trial]:
    """Search those of one owner."""
    with _searching(stage, of_owner=True) as ready:
        yield ready


@contextlib.contextmanager
def _searching(stage: Stage, *, of_owner: bool) -> Iterator[Trial]:
    texts = texts_of(stage)
    index = _filled(texts)
    searcher = index.searcher()

    def ask(place: int) -> list[int]:
        words = texts.queries[place]
        asked = f"+owner:o{place % OWNERS} +({words})" if of_owner else words
        hits = searcher.search(index.parse_query(asked, ["content"]), LIMIT).hits
        return [int(searcher.doc(address)["place"][0]) for _, address in hits]

    yield trial(texts, ask, of_owner=of_owner)


def _filled(texts: Texts) -> Any:
    """Return the index, which the first run of a size makes."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("content", stored=False, tokenizer_name="en_stem")
    builder.add_text_field("owner", stored=False, tokenizer_name="raw")
    builder.add_integer_field("place", stored=True)
    folder = texts.folder / "tantivy"
    is_new = not folder.exists()
    folder.mkdir(exist_ok=True)
    index = tantivy.Index(builder.build(), path=str(folder))
    if is_new:
        writer = index.writer(num_threads=1)
        for place, content in enumerate(texts.texts):
            document = tantivy.Document(content=content, owner=f"o{place % OWNERS}", place=place)
            writer.add_document(document)
        writer.commit()
        writer.wait_merging_threads()
    index.reload()
    return index
