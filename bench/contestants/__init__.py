"""
The contestants of the site case: one module each, one process each, one database each.

One case is an application, twenty signatures and four further decisions (forwarded, approved, plaque, subsidy): 25
calls from outside, each committed, each with a row of history; five gates, each with a due date and two rendered
letters queued.
"""

SIGNATURES = 20
