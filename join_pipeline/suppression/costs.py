"""What hiding a cell costs its readers, as SQL on a cell.

Belongs here: which numbers are dearer than others. Not here: which are hidden (hiding).
"""

from typing import Final

# What hiding a cell costs is its count, times these: weeks go before months, and small scopes before everything.
GRAIN_COSTS: Final = "CASE grain WHEN 'week' THEN 1 WHEN 'month' THEN 3 WHEN 'quarter' THEN 4 ELSE 6 END"
# What goes first where time is short: the higher, the more detailed.
DETAIL: Final = """CASE
    WHEN scope = 'job_source' THEN 3
    WHEN scope IN ('category', 'city', 'channel') OR (grain = 'week' AND scope <> 'overall') THEN 2
    ELSE 1
END"""
# Who waits at each milestone is what all readers look for first.
SCOPE_COSTS: Final = (
    "CASE scope WHEN 'overall' THEN 500 WHEN 'milestone' THEN 100 WHEN 'job' THEN 2 WHEN 'source' THEN 2 ELSE 1 END"
)
