"""``remote::rungraph``: any API, by another stack that ``rungraph serve`` serves."""
