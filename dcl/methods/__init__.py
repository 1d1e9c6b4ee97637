"""The methods that DCL is compared with."""
