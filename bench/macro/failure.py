"""The ways in which a run can fail."""


class Failure(Exception):
    """Something went wrong that ends the run: a program that does not start, a tree that cannot be made."""


class Unavailable(Exception):
    """This machine or user cannot do that: it is said aloud and left out, and the rest goes on."""


class CellFailure(Exception):
    """This cell could not be measured; it is kept with the reason, and the next one begins."""
