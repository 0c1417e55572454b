"""What speaks for and against digits being a phone number: what stands around them, what they look like."""

from __future__ import annotations

import re

_CURRENCY = r"(?:r\$|us\$|a\$|c\$|mx\$|\$|€|£|¥|₹|₽|₺|₩|₪|₦|₫|₱|฿|₴|₲|(?<![a-z])(?:usd|eur|brl|gbp|jpy|inr|chf|cad|aud|mxn|ars|clp|cop|pln|sek|nok|dkk|czk|huf|zar|rs)\.?)"
_CURRENCY_AFTER = (
    r"(?:€|\$|£|¥|₹|₽|%|‰|(?:usd|eur|euros?|brl|reais|real|gbp|pounds?|dollars?|d[oó]lares|pesos?|inr|rupees?|chf|"
    r"cop|clp|ars|mxn|jpy|krw|cny|czk|huf|pln|sek|nok|dkk|try|zar|cad|aud|ft|rubles?|"
    r"kr|zl|yen|bucks|million(?:s|en|es)?|milh(?:oes|ao)|mil|bi(?:llion)?s?|people|pessoas|personas|users|bytes|"
    r"[kmgt]b|views|followers|steps|passos|km2?|ha|kg|mg|ml|mm|cm|m2|kwh|mwh|hz|px|rpm)\b)"
)
_AMOUNT = (
    r"(?:[1-9]\d{0,2}(?:[., ']\d{3})+(?! ?\d)(?:[.,]\d{1,2})?|(?!0\d)\d{1,12}(?:[.,]\d{1,6})?)"
    r"(?!\d|[.,\-]\d)(?:,-)?"
)
_NOT_PHONES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"{_CURRENCY}(?:{_AMOUNT}| {_AMOUNT}(?! ?\d))",
        rf"(?<![\d+(.\-])(?<![\d)] ){_AMOUNT} ?{_CURRENCY_AFTER}",
        # 2025-10-28, 2025/10/28 14:10:00
        r"(?<![\d+(\-.])(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)(?:[t ,]{1,2}\d{1,2}[:.h]\d\d(?:[:.]\d\d(?:[.,]\d{1,6})?)?)?",
        # 2.1.2025-5.1.2025
        r"(?<![\d/.+\-])(?:0?[1-9]|[12]\d|3[01])([/.])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d) ?- ?(?:0?[1-9]|[12]\d|3[01])\1(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)(?![/.\-]?\d)",
        # 28/10/2025, 28.10.25
        r"(?<![\d/.+\-])(?:0?[1-9]|[12]\d|3[01])([/.\-])(?:0?[1-9]|[12]\d|3[01])\1(?:(?:19|20)\d\d|\d\d)(?![/.\-]?\d)(?: \d{1,2}[:h]\d\d(?:[:.]\d\d)?)?",
        # 14:10, 14:10:59.123
        r"(?<![\d:])\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,6})?)?(?![\d:])",
        # 10.0.19045.3803: no phone number has a lone zero between dots
        r"(?<![\d.+])\d{1,5}(?:\.\d{1,5})*\.0(?:\.\d{1,5})+(?![\d.])",
        r"(?:version|release|build|firmware|chrome|firefox|safari|edge|windows|android|ios|macos|driver|(?<![a-z])v)[ .:]{0,2}\d+(?:\.\d+){2,}",
        # 2^31 = 2147483648, 123456789 + 987654321 = 1111111110
        r"(?<![\d+(.\-])\d[\d.,]*(?:(?: ?[+*/^x\u00d7\u00f7] ?| - )\d[\d.,]*)+ ?= ?-?\d[\d.,]*",
        # blood pressure: 120/80 118/76
        r"(?<![\d/.+\-])(?<!\d )\d{2,3}/\d{2,3}(?:[ ,;]{1,2}\d{2,3}/\d{2,3})+(?! ?[\d/])",
        # results of sets: 21-19 18-21 15-13
        r"(?<![\d/.+(\-])(?<!\d )\d{1,2}-\d{1,2}(?:[ ,;]{1,2}\d{1,2}-\d{1,2}){2,}(?! ?[\d\-/])",
        # 85000-95000
        r"(?<![\d/.+(\-])(?<!\d )[1-9]\d{1,3}000 ?- ?[1-9]\d{1,3}000(?! ?[\d\-/])",
        # 1000 2000 3000, 2100/2300/1900
        r"(?<![\d/.+(\-])(?<!\d )[1-9]\d{0,2}00(?:[ /][1-9]\d{0,2}00){2,}(?! ?[\d\-/])",
        # law 13.709/2018
        r"(?<![\d/.+(\-])(?<!\d )[1-9]\d{0,2}\.\d{3}/(?:19|20)\d\d(?![\d\-/])",
        # seasons and months: 2024/25 2025/26, 12/2024-01/2025
        r"(?<![\d/.+(\-])(?<!\d )(?:19|20)\d\d/\d\d(?:[ ,]{1,2}(?:19|20)\d\d/\d\d)*(?! ?[\d\-/])",
        r"(?<![\d/.+(\-])(?<!\d )(?:0?[1-9]|1[0-2])/(?:19|20)\d\d ?- ?(?:0?[1-9]|1[0-2])/(?:19|20)\d\d(?! ?[\d\-/])",
        # 2025 01 13 10 30 00
        r"(?<![\d/.+(\-])(?<!\d )(?:19|20)\d\d (?:0[1-9]|1[0-2]) (?:0[1-9]|[12]\d|3[01])(?: [0-5]\d){0,3}(?! ?[\d\-/])",
        r"cve-\d{4}-\d{4,}",
        # 8 000 000
        r"(?<![\d+(.\-])(?<![\d)] )[1-9]\d?(?: 000){2,}(?! ?\d)",
        # 192.168.100.100 and whatever else has four dotted groups, versions too; but for a number that begins with 0
        r"(?<![\d.+])(?!0\d)(?!1\.[2-9]\d\d\.[2-9]\d\d\.\d{4}(?!\d))(?:[01]?\d?\d|2[0-4]\d|25[0-5])(?:\.(?:[01]?\d?\d|2[0-4]\d|25[0-5])){2}\.\d{1,4}(?:/\d{1,2}|:\d{2,5})?(?![\d])(?!\.\d)",
        # 1.234.567,89 and 3,14159265
        r"(?<![\d.,+])\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)",
        r"(?<![\d.,+(])(?!0\d)-?(?:\d{1,3}[.,]\d{4,}|\d{4}[.,]\d{5,})(?![\d.\-])",
        # national numbers of Brazil and Chile with a wrong check digit
        r"(?<![\d.])\d{1,2}\.\d{3}\.\d{3}-[\dk](?![\d\-])|(?<!\d)\d{3}\.\d{3}\.\d{3}-\d\d(?!\d)|(?<!\d)\d\d\.\d{3}\.\d{3}/\d{4}-\d\d(?!\d)",
        # 2024-2025, 1990/2000
        r"(?<![\d+\-./])(?:19|20)\d\d ?[-/] ?(?:19|20)\d\d(?![\d\-./])",
        r"(?:isbn|issn|ean|doi|imei|sku|asin|uuid|iccid|mac)(?:-1[03])?[: ]{0,2}[\dx][\dx .\-/]{6,24}",
    )
)
_ROW = re.compile(
    r"(?<![\d/.+(\-])(?<!\d )\d{1,2}(?:(?:(?: - |[ \-])\d{1,2}){5,}|(?: - \d{1,2}){4})(?! ?[\d\-/])"
)
ID_CUE = re.compile(
    r"(?:#|n[º°]|(?<![a-z])(?:order|orders|ordem|pedido|pedidos|compra|invoice|fatura|factura|facture|rechnung|fattura|nota fiscal|nfe?|"
    r"boleto|ticket|tickets|case|chamado|protocolo|protocol|ref|reference|referencia|referenz|riferimento|tracking|awb|rastreio|rastreamento|sendungsnummer|"
    r"bestellung|bestellnummer|commande|ordine|orden|id|ids|uid|pid|serial|serie|sku|code|codigo|code-barres|cupom|contrato|contract|vertrag|"
    r"processo|matricula|booking|reserva|reservation|reservierung|confirmation|policy|apolice|model|modelo|part|build|issue|pr|bug|commit|"
    r"transaction|transacao|account|conta|kontonummer|kunde|kundennummer|customer|cliente|epoch|timestamp|version|lot|lote|barcode|zip|zipcode|cep|plz|postleitzahl|postcode|postal|code postal|cap))"
    r"[ :.#=\-]{0,3}(?:(?:number|numbers|numero|nummer|num|no|nr|n|id|code|de|do|da|is|was|es|ist)[ :.#º°=]{0,3}){0,2}$"
)
PHONE_CUE = re.compile(
    r"(?:(?<![a-z])(?:tel|telefone|telefono|telefon|telephone|phone|phones|fone|fones|cel|cell|celular|cellphone|mobile|movil|handy|handynummer|"
    r"portable|cellulare|whatsapp|whats|zap|wpp|wsp|sms|call|calls|called|calling|dial|ring|text|fax|ligue|liga|ligar|llama|llamame|llamar|"
    r"ruf|anrufen|appelle|appeler|appelez|chiama|chiamami|chiamare|contact|contato|contacto|telefonnummer|rufnummer|telemovel|tlf|tfno|"
    r"numero de telefone|phone number|my number|meu numero|mi numero|mon numero|meine nummer|il mio numero|number is|"
    r"landline|hotline|helpline|signal|telegram|facetime|imessage|pix)"
    r"|\u260e|\U0001f4de|\U0001f4f1|\U0001f4f2|\u2706|电话|電話|手机|手機|전화|тел|телефон|هاتف|جوال|טלפון)"
    r"[^\n\d]{0,24}$"
)


def blank_not_phones(folded: str) -> str:
    """The text with dates, amounts and addresses of machines made unreadable."""
    for pattern in _NOT_PHONES:
        folded = pattern.sub(lambda match: "\0" * len(match[0]), folded)
    return _ROW.sub(lambda match: "\0" * len(match[0]) if _rises(match[0]) else match[0], folded)


def _rises(row: str) -> bool:
    """Whether the numbers of a row only grow, as those of a lottery or of counting do: 04 12 23 34 45 56."""
    numbers = [int(digits) for digits in re.findall(r"\d+", row)]
    return numbers == sorted(numbers)
