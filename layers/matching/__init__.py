"""Which asset a strike hit: candidates, evidence, weights, probabilities, explanations."""
