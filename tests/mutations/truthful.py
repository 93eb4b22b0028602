"""Which changes of an answer a vendor could truthfully have made: the truth is computed again from the answers.

So far all of them: a number that differs from the truth of the unchanged answers has to be the one that the oracle
computes from the answers as they came. The list of pairs is still to be made.
"""


class _All:
    """Every pair of a mutation and an endpoint."""

    def __contains__(self, pair: object) -> bool:
        return True


TRUTHFUL = _All()
