"""What calls cost, in US dollars: from the price list that genai-prices bundles, without asking the network."""

from __future__ import annotations

from functools import lru_cache

from genai_prices import Usage as Tokens
from genai_prices import calc_price
from genai_prices.data_snapshot import get_snapshot

HALF_PRICE = frozenset({"flex", "batch"})
IMAGE_TOKENS = 1_300
"""Of one 1K picture, about."""
_SELLER = "google"


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
        model: its name; one that the list doesn't know costs as much as the dearest Gemini model, so that a budget holds.
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
        calc_price(Tokens(input_tokens=1), model_ref=_plain(model), provider_id=_SELLER)
    except LookupError:
        return False
    return True


def dollars(usd: float) -> str:
    """``$1.25``; with more places where two would say nothing."""
    return f"${usd:.2f}" if usd >= 0.095 or usd == round(usd, 2) else f"${usd:.4f}"


def _price(model: str, input_tokens: int, output_tokens: int, cached: int, images: int) -> float:
    # What a model has no price of its own for, as those that only write for pictures, counts as other output.
    usage = Tokens(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=cached or None,
        output_image_tokens=images or None,
    )
    name = _plain(model) if known(model) else _dearest(drawn=images > 0)
    return _total(name, usage)


def _total(name: str, usage: Tokens) -> float:
    return float(calc_price(usage, model_ref=name, provider_id=_SELLER).total_price)


def _plain(model: str) -> str:
    return model.removeprefix("models/")


@lru_cache(2)
def _dearest(*, drawn: bool) -> str:
    """The Gemini model whose pictures, or whose words, cost most."""
    models = next(seller.models for seller in get_snapshot().providers if seller.id == _SELLER)
    names = [model.id for model in models if model.id.startswith("gemini")]
    usage = Tokens(input_tokens=1000, output_tokens=1000, output_image_tokens=1000 if drawn else None)
    return max(names, key=lambda name: _total(name, usage))
