"""Reader of Wikidata items: owners, holdings and parents of companies and assets."""
