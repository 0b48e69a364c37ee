"""Search in everything that was said in recorded sessions: by words, by meaning, with filters and facets.

One query language serves every surface (`parse_query`); the index is kept in the transaction of each upload.
"""

from specloop.record.search.embedding import Embedder, WordLlamaEmbedder
from specloop.record.search.model import (
    Facets,
    Hit,
    MatchedExchange,
    SearchAnswer,
    SearchMode,
    SearchRequest,
    SearchSort,
)
from specloop.record.search.query import Query, Term, is_too_short, parse_query
from specloop.record.search.service.checking import IndexCheck, IndexReport
from specloop.record.search.service.indexing import SearchIndexing
from specloop.record.search.service.meaning import ExchangeMeaning
from specloop.record.search.service.rebuilding import IndexRebuilding
from specloop.record.search.service.searching import SearchService
from specloop.record.search.service.tidying import IndexTidying
from specloop.record.search.snippets import MATCH_END, MATCH_START, make_snippet

__all__ = [
    "MATCH_END",
    "MATCH_START",
    "Embedder",
    "ExchangeMeaning",
    "Facets",
    "Hit",
    "IndexCheck",
    "IndexRebuilding",
    "IndexReport",
    "IndexTidying",
    "MatchedExchange",
    "Query",
    "SearchAnswer",
    "SearchIndexing",
    "SearchMode",
    "SearchRequest",
    "SearchService",
    "SearchSort",
    "Term",
    "WordLlamaEmbedder",
    "is_too_short",
    "make_snippet",
    "parse_query",
]
