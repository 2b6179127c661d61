"""The live screen: one frozen moment of the site in, text out."""
