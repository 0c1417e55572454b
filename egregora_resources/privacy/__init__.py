"""What keeps people unrecognisable: pseudonyms, scrubbing of text, opt-out commands, and the proof.

Everything here is pure logic over strings. What is stored where, and when it is recomputed, is decided
by the stages and the warehouse.
"""
