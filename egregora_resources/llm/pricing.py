"""What calls cost, in US dollars: from the price list that genai-prices bundles, without asking the network."""

from __future__ import annotations

from functools import lru_cache

from genai_prices import Usage as Tokens
from genai_prices import calc_price

HALF_PRICE = frozenset({"flex", "batch"})
IMAGE_TOKENS = 1_300
"""Of one 1K picture, about."""


def price(
    model: str,
    input_tokens: int,
    output_tokens: int,
    *,
    cached_tokens: int = 0,
    image_tokens: int = 0,
    mode: str = "sync",
) -> float:
    """Price of a call.

    Args:
        model: its name; one that the list doesn't know costs as much as the dearest it does, so that a budget holds.
        input_tokens: all of them, the cached ones included.
        output_tokens: all of them, thoughts and `image_tokens` included.
        cached_tokens: of the input, served from the provider's cache.
        image_tokens: of the output, those of pictures.
        mode: ``sync``, or ``flex`` and ``batch`` at half price.
    """
    whole = _price(model, input_tokens, output_tokens, min(cached_tokens, input_tokens), image_tokens)
    return whole / 2 if mode in HALF_PRICE else whole


def known(model: str) -> bool:
    """Whether the list has the model."""
    try:
        calc_price(Tokens(input_tokens=1), model_ref=_plain(model), provider_id="google")
    except LookupError:
        return False
    return True


def _price(model: str, input_tokens: int, output_tokens: int, cached: int, images: int) -> float:
    name = _plain(model)
    if not known(model):
        name = _dearest()
    pictured = images if name.endswith("-image") or "banana" in name else 0
    usage = Tokens(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached or None,
        output_image_tokens=pictured or None,
    )
    return float(calc_price(usage, model_ref=name, provider_id="google").total_price)


def _plain(model: str) -> str:
    return model.removeprefix("models/")


@lru_cache(1)
def _dearest() -> str:
    """The dearest of the models that write text which this version knows by name."""
    names = ("gemini-3.8-flash", "gemini-3.1-pro-preview", "gemini-3-pro-preview", "gemini-2.5-pro")
    found = [name for name in names if known(name)]
    return max(found, key=lambda name: _price(name, 1000, 1000, 0, 0))
