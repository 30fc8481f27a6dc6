"""The demo's embedding: latent semantic analysis of the texts themselves, without a model to download.

Texts that share words, or words that keep the same company, get near vectors. It is a space of words, not a neural
model: it knows nothing of a word that the texts do not use.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lancesql.errors import ExecutionError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DIMENSIONS", "Embedder", "fit_embedder", "require_scikit_learn", "split_words", "to_vector_array"]

DIMENSIONS = 256

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SUFFIX = re.compile(
    r"(?:ations?|ators?|ating|ated|ates?|ings?|ers?|ors?|ies|ied|ed|es|s|e|y|ly|ments?|ions?)$", re.ASCII
)
_STOP_WORDS_OF_DOCSTRINGS = frozenset(
    {"false", "given", "none", "return", "returns", "self", "true", "use", "used", "using"}
)


def require_scikit_learn() -> None:
    """Checks that scikit-learn is there.

    Raises:
        ExecutionError: When it is not installed.
    """
    try:
        import sklearn  # noqa: F401
    except ImportError:
        raise ExecutionError("the demo needs scikit-learn", hint="pip install 'lancesql[demo]'") from None


def split_words(text: str) -> list[str]:
    """The stems of the words of `text` and the pairs of neighbours; names are split into their words.

    Example:
        >>> split_words("compress the files, readLines")
        ['compres', 'fil', 'read', 'lin', 'compres fil', 'fil read', 'read lin']
    """
    stems = [stem for word in _WORD.findall(text) if (stem := _stem(word))]
    return stems + [f"{first} {second}" for first, second in itertools.pairwise(stems)]


@functools.lru_cache(maxsize=65536)
def _stem(word: str) -> str:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    word = word.lower()
    if len(word) < 2 or word in ENGLISH_STOP_WORDS or word in _STOP_WORDS_OF_DOCSTRINGS:
        return ""
    suffix = _SUFFIX.search(word, 3)
    stem = word[: suffix.start()] if suffix else word
    return stem[:-1] if stem[-1] == stem[-2] else stem


@dataclass(frozen=True)
class Embedder:
    """Turns a text into a vector of the space that `fit_embedder` found."""

    dimensions: int
    _weights: Any
    _space: Any
    _scale: Any

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One unit vector per text; zeros for a text none of whose words are known."""
        return self.place(self._weights.transform(texts))

    def embed_question(self, text: str) -> list[float]:
        """The vector of one text, ready to be a parameter.

        Raises:
            ExecutionError: When none of its words are known.
        """
        vector = self.embed([text])[0]
        if not vector.any():
            raise ExecutionError(
                f"no word of {text!r} occurs in the texts, so it has no place in their space",
                hint="ask with other words: this embedding knows only the words of the texts themselves",
            )
        return [float(value) for value in vector]

    def place(self, weights: Any) -> NDArray[np.float32]:
        """The unit vectors of texts of which the word weights are known."""
        import numpy as np
        from sklearn.preprocessing import normalize

        placed: NDArray[np.float32] = normalize(self._space.transform(weights) * self._scale).astype(np.float32)
        return placed


def fit_embedder(texts: Sequence[str], dimensions: int = DIMENSIONS) -> tuple[Embedder, NDArray[np.float32]]:
    """Finds the space of `texts`, and the vectors of the texts in it.

    TF-IDF over stems and pairs of stems, reduced by a truncated singular value decomposition. The singular values are
    damped by their square root, so that the few commonest themes do not drown the rest. The same texts give the same
    vectors.
    """
    require_scikit_learn()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # scikit-learn needs it itself

    # Threads cost more than they bring for matrices of this size, ten times more on a busy machine.
    with threadpool_limits(limits=1):
        return _fit(texts, dimensions)


def _fit(texts: Sequence[str], dimensions: int) -> tuple[Embedder, NDArray[np.float32]]:
    import numpy as np
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    weights = TfidfVectorizer(sublinear_tf=True, analyzer=split_words, min_df=2, max_df=0.4, dtype=np.float32)
    try:
        weighted = weights.fit_transform(texts)
    except ValueError:
        raise ExecutionError("the texts have no words in common", hint="an embedding needs more texts") from None
    space = TruncatedSVD(min(dimensions, *(size - 1 for size in weighted.shape)), n_iter=4, random_state=0)
    space.fit(weighted)
    scale = 1 / np.sqrt(np.maximum(space.singular_values_, np.finfo(np.float32).tiny))
    embedder = Embedder(space.n_components, weights, space, scale)
    return embedder, embedder.place(weighted)


def to_vector_array(vectors: NDArray[np.float32]) -> pa.FixedSizeListArray[Any, Any]:
    """The vectors as an Arrow array; zeros, which have no direction, become NULL."""
    values = pa.array(vectors.reshape(-1), pa.float32())
    missing = pa.array([not vector.any() for vector in vectors], pa.bool_())
    return pa.FixedSizeListArray.from_arrays(values, vectors.shape[1], mask=missing)
