"""LanceDB's rerankers by name: what each takes, and what it needs to run."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["RERANKERS", "RerankerInfo"]


@dataclass(frozen=True)
class RerankerInfo:
    """One reranker.

    Attributes:
        class_name: LanceDB's class.
        options: Its arguments in SQL → LanceDB's names of them.
        packages: The modules it imports.
        install: What installs them.
        key: The environment variable that holds its key.
        reads_text: Whether it compares texts; otherwise it fuses the two rankings of a hybrid search.
        fuses_any: Whether it can fuse other rankings than those two.
    """

    class_name: str
    options: dict[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    install: str = ""
    key: str | None = None
    reads_text: bool = True
    fuses_any: bool = False


_MODEL = {"model": "model_name"}
_SERVICE = {**_MODEL, "api_key": "api_key"}

RERANKERS = {
    "rrf": RerankerInfo("RRFReranker", {"rrf_k": "K"}, reads_text=False, fuses_any=True),
    "mrr": RerankerInfo(
        "MRRReranker",
        {"weight_vector": "weight_vector", "weight_fts": "weight_fts"},
        reads_text=False,
        fuses_any=True,
    ),
    "linear_combination": RerankerInfo(
        "LinearCombinationReranker", {"weight": "weight", "fill": "fill"}, reads_text=False
    ),
    "cross_encoder": RerankerInfo(
        "CrossEncoderReranker",
        {
            **_MODEL,
            "device": "device",
            "batch_size": "batch_size",
            "trust_remote_code": "trust_remote_code",
            "max_length": "max_length",
        },
        ("torch", "sentence_transformers"),
        "sentence-transformers",
    ),
    "colbert": RerankerInfo("ColbertReranker", _MODEL, ("rerankers",), "'rerankers[transformers]'"),
    "answerdotai": RerankerInfo(
        "AnswerdotaiRerankers", {**_MODEL, "model_type": "model_type"}, ("rerankers",), "'rerankers[transformers]'"
    ),
    "cohere": RerankerInfo("CohereReranker", _SERVICE, ("cohere",), "cohere", "COHERE_API_KEY"),
    "openai": RerankerInfo("OpenaiReranker", _SERVICE, ("openai",), "openai", "OPENAI_API_KEY"),
    "jina": RerankerInfo("JinaReranker", _SERVICE, ("requests",), "requests", "JINA_API_KEY"),
    "voyageai": RerankerInfo(
        "VoyageAIReranker", {**_SERVICE, "truncation": "truncation"}, ("voyageai",), "voyageai", "VOYAGE_API_KEY"
    ),
    "typesafe": RerankerInfo(
        "TypeSafeReranker",
        {
            **_SERVICE,
            "instructions": "instructions",
            "max_concurrency": "max_concurrency",
            "batch_size": "batch_size",
        },
        ("typesafe_sdk",),
        "typesafe-sdk",
        "TYPESAFE_API_KEY",
    ),
    "watsonx": RerankerInfo(
        "WatsonxReranker",
        {
            **_SERVICE,
            "project_id": "project_id",
            "space_id": "space_id",
            "url": "url",
            "truncate_input_tokens": "truncate_input_tokens",
        },
        ("ibm_watsonx_ai",),
        "ibm-watsonx-ai",
        "WATSONX_API_KEY",
    ),
}
