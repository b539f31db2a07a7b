"""Every sentence for people, by its code: one catalogue a language, and ``en.toml`` has every code.

Rooms of ``layers/`` give a ``Message`` (a code with arguments), templates ask for a ``phrase``; a language is one file.
"""
