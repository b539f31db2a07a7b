"""How the collections are drawn, told to other programs: the rules of the web map in each language of styles."""
