"""All SQL of the search: one text index per engine behind one protocol, and what both engines share."""

from specloop.record.search.repository.index import TextIndex, text_index

__all__ = ["TextIndex", "text_index"]
