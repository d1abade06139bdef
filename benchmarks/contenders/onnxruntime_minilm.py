"""onnxruntime by hand: the same model, short texts first, in batches of 32, on one thread."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import onnxruntime
from benchmarks.contenders.embedded_texts import compared, folder_of
from benchmarks.harness.stage import Stage, Trial
from tokenizers import Tokenizer

_BATCH = 32
_LIMIT = 256


@contextlib.contextmanager
def minilm(stage: Stage) -> Iterator[Trial]:
    """Embed by the model in the folder."""
    folder = folder_of(stage)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / "model.onnx", sess_options=options)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(_LIMIT)

    def embed(texts: list[str]) -> Any:
        pieces = [one.ids for one in tokenizer.encode_batch_fast(texts)]
        order = sorted(range(len(pieces)), key=lambda place: len(pieces[place]))
        vectors = np.empty((len(texts), 384), np.float32)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            ids = np.zeros((len(batch), len(pieces[batch[-1]])), np.int64)
            mask = np.zeros_like(ids)
            for row, place in enumerate(batch):
                ids[row, : len(pieces[place])] = pieces[place]
                mask[row, : len(pieces[place])] = 1
            given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": ids * 0}
            states = session.run(None, given)[0]
            sums = (states * mask[:, :, None].astype(np.float32)).sum(axis=1)
            vectors[batch] = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return vectors

    yield compared(stage, embed)
