"""How much of anything is read, matched and shown: what bounds the work for any input.

`docs/limits.md` tells them to users.
"""

from __future__ import annotations

from typing import Final

LARGEST_FILE: Final = 32 * 2**20
"""Bytes of the largest file that is read unless ``RUNGRAPH_MAX_CONFIG_BYTES`` says otherwise."""
DEEPEST: Final = 100
"""Collections inside collections; a run config has some ten. Bounds every recursion over it."""
MOST_FROM_ALIASES: Final = 1_000_000
"""Values that aliases may add to those that are written out; ten times those when that is more."""
DEEPEST_PLACEHOLDER: Final = 20
"""Placeholders inside the words of placeholders; what is nested deeper stays as it is written."""
MOST_PROBLEMS: Final = 100
"""Problems of one kind that are shown; how many more there are is told."""
LONGEST_NUMBER: Final = 1_000
"""Characters of the longest number; what is longer is text. Python writes at most 4,300 digits."""
LONGEST_LINE: Final = 100_000
"""Characters of the longest line that excerpts are made of."""
LONGEST_SEARCHED: Final = 1_000_000
"""Characters of a document that is searched for the shapes of secrets as a whole."""
MOST_COMPARED: Final = 10_000
"""Characters of secrets of different lengths that begin with one word: each occurrence of it in a
text is compared with all."""
LONGEST_EXCERPT: Final = 160
"""Characters of a source line in a message."""
LONGEST_MESSAGE: Final = 2_000
"""Characters of a message, and of each way out."""
LONGEST_QUERY: Final = 100_000
"""Characters of the longest query: ten times what a machine writes in earnest."""
DEEPEST_QUERY: Final = 40
"""Parentheses, functions, negations and lets inside each other: far less than Python recurses."""
LONGEST_PATTERN: Final = 2_000
"""Characters of a regular expression, and of a glob."""
MOST_INSTRUCTIONS: Final = 2_500
"""What a regular expression may become: one such as ``((a|b){0,30}){0,30}`` becomes thousands, each
of which every character of a text may meet."""
MOST_VISITED: Final = 10_000_000
"""Nodes and edges that queries asked together visit: some three seconds."""
MOST_PASSES: Final = 200
"""So often may they visit a whole graph, when that is more."""
LARGEST_CYCLE: Final = 20_000
"""Nodes that need each other; what each of them reaches takes 100 MB."""
MOST_JOINED: Final = 1_000_000
"""What nodes on cycles reach is joined so often while soft edges are judged: some two seconds."""
MOST_WALKED: Final = 1_000_000
"""Edges that are walked to tell by which cycles soft edges are dropped: some two seconds."""
MOST_CYCLES: Final = 10
"""Cycles through nodes that need each other that are written out."""
MOST_CYCLE_STARTS: Final = 64
"""Nodes that need each other from which short cycles are looked for where there are more."""
MOST_ON_CYCLES: Final = 7
"""Nodes that reach each other among which all chains are tried: at most 13,699."""
MOST_NEAR: Final = 5_000
"""Names that a misspelt one is compared with: those whose length is the nearest."""
LONGEST_NEAR: Final = 200
"""Characters of a misspelt name: no typo is in a longer one, and comparing takes the square."""
MOST_UNSET: Final = 50
"""Variables that are not set for which the name that may be meant is looked for."""
MOST_ALIGNED: Final = 4_000_000
"""Comparisons that two lists are aligned with, at worst."""
MOST_KEPT_ATTRIBUTES: Final = 100
"""Attributes, such as ``config.url``, of which a graph that is asked keeps who has which value."""
MOST_SPECS: Final = 1_000
"""Files of specs in each folder of external APIs or provider types."""
MOST_RELEASES: Final = 300
"""Releases that a catalog file tells of: there are as many ranges of them as their square, and each
is kept with all its releases."""
MOST_DRAWN: Final = 5_000
"""Boxes and arrows of a picture: some 15 seconds, and far more than anyone can read."""
MOST_SIFTED: Final = 40_000
"""Pairs of boxes in one column up to which whole lines are moved about in a picture: a second."""
MOST_SWAPPED: Final = 40_000
"""Arrows of a picture up to which neighbours are swapped: with more, it takes the longest."""
MOST_LAID_OUT: Final = 100_000
"""Boxes, arrows and columns that arrows pass of a picture or a page: some 20 seconds."""
MOST_REWRITTEN: Final = 5_000
"""Values of a config that is rewritten for another release, each time that an alias repeats one:
some three seconds, because what keeps comments takes its time."""
LARGEST_PLAN: Final = 256 * 2**20
"""Bytes of a saved plan: one of 100,000 nodes has less."""
LONGEST_EVENT: Final = 2**20
"""Bytes of a line of a recording: no event is near that long, and other files may be one line."""
LARGEST_RECORDED: Final = 1_000_000_000
"""The largest number in a recording: seconds, of which this is thirty years, or generations."""
