"""Numbers that give somebody away: phones, payment cards, bank accounts, national ids.

Dates, prices and measures, which only look like them, are told apart here, too. Names belong into `names/`.
"""
