"""The offline embedding of the demo."""

import numpy as np
import pytest

from lancesql.demo.embedding import fit_embedder, split_words, to_vector_array
from lancesql.errors import ExecutionError

TEXTS = [
    "Read a compressed archive",
    "Write a compressed archive to a file",
    "Compress a file with gzip",
    "Open a socket to a server",
    "Listen on a socket for a client",
    "The server of the socket and its clients",
    "Delete a file",
    "Sort a list of numbers",
    "Reverse a list",
    "Numbers of a list",
    "xyzzy",
]


def test_words_are_split_and_stemmed_alike() -> None:
    assert split_words("HTTPServer.readLines") == split_words("http servers read line")
    assert split_words("the of it 3 !") == []


def test_vectors_are_unit_float32_and_near_for_near_texts() -> None:
    embedder, vectors = fit_embedder(TEXTS, 6)
    assert vectors.shape == (len(TEXTS), 6)
    assert vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    assert lengths[:-1] == pytest.approx(np.ones(len(TEXTS) - 1), abs=1e-5)
    assert lengths[-1] == 0
    question = np.array(embedder.embed_question("archives that are compressed"))
    assert int(np.argmax(vectors @ question)) in {0, 1}


def test_the_same_texts_give_the_same_vectors() -> None:
    np.testing.assert_allclose(fit_embedder(TEXTS, 6)[1], fit_embedder(TEXTS, 6)[1], atol=1e-6)


def test_a_question_of_unknown_words_is_an_error() -> None:
    embedder, _ = fit_embedder(TEXTS, 6)
    with pytest.raises(ExecutionError, match="no word of 'quantum zebras' occurs"):
        embedder.embed_question("quantum zebras")


def test_too_few_texts_are_an_error() -> None:
    with pytest.raises(ExecutionError, match="no words in common"):
        fit_embedder(["one", "two"])


def test_a_text_without_direction_has_no_vector() -> None:
    array = to_vector_array(np.array([[1, 0], [0, 0], [0, 1]], np.float32))
    assert array.to_pylist() == [[1, 0], None, [0, 1]]
