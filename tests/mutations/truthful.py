"""What the vendor could truthfully have said."""


class _All:
    def __contains__(self, pair: object) -> bool:
        return True


TRUTHFUL = _All()
