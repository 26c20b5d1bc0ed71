"""Open311 GeoReport v2, one module a noun: the same answer in XML and in JSON, and errors as the standard says them."""
