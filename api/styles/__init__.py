"""How collections are drawn, as rules without an encoding, and those rules in each style language."""
