"""Texts of about one length together, as many as fit into a bounded memory."""

from collections.abc import Iterator, Sequence


def batches(lengths: Sequence[int], *, budget: int, most: int) -> Iterator[list[int]]:
    """Yield the numbers of texts that are computed together, short texts first.

    A batch has no more than `most` texts, and no more than `budget` tokens once each of them is
    filled up to the longest; a text that is longer than the budget comes alone.
    """
    batch: list[int] = []
    for number in sorted(range(len(lengths)), key=lengths.__getitem__):
        # Lengths ascend: the one that comes in is what all the others are filled up to.
        if batch and (len(batch) == most or lengths[number] * (len(batch) + 1) > budget):
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch
