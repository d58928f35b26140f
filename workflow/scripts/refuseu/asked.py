"""Whom a job asks, and how."""

from typing import NotRequired, TypedDict


class Asked(TypedDict):
    """A row of ``models.tsv`` together with how it is asked: what a job that asks a model is given.

    Attributes
    ----------
    model : id of the row
    format : how it is addressed and read
    backend : transformers, vllm or openai
    repository, revision : hub id and commit, a folder and ``local``, or an API's name for it and ``api``
    dtype : torch dtype or auto
    endpoint : URL of an OpenAI-compatible server (backend openai)
    adapter : whether an adapter is on its weights (models under evaluation)
    adapters : how vllm gets the adapter, merged or lora
    gpus : GPUs of the job
    batch_size : conversations at a time (backend transformers)
    batch : whether a server is asked in batches
    concurrent : requests at a time that a server gets
    timeout : seconds that it may take for one
    parameters : further parameters of a request, as the row has them
    left_out : parameters that the server refuses
    gpu_memory_utilization, max_model_len, enforce_eager : how vllm is started, as ``engine`` in the config says
    """

    model: str
    format: NotRequired[str]
    backend: str
    repository: str
    revision: str
    dtype: str
    endpoint: str
    adapter: NotRequired[bool]
    adapters: NotRequired[str]
    gpus: NotRequired[int]
    batch_size: NotRequired[int]
    batch: NotRequired[bool]
    concurrent: NotRequired[int]
    timeout: NotRequired[float]
    parameters: NotRequired[dict[str, str | float | bool]]
    left_out: NotRequired[list[str]]
    gpu_memory_utilization: NotRequired[float]
    max_model_len: NotRequired[int]
    enforce_eager: NotRequired[bool]
