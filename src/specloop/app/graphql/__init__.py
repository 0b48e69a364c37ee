"""GraphQL over what the caller recorded (specstory.md §2): schema, limits, transport, and a page to try it on.

The types refer to each other across projects, sessions and search, so they live here and not in the three domains; the
rules stay there, behind the doors that `reading` asks.
"""
