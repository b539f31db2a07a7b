"""One module a standard or a part of the product, which declares all of itself; `api.app` lists the parts."""
