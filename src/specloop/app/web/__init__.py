"""The pages: server-rendered HTML over the same service functions as the APIs, under `/app/…`.

Thin: page modules translate forms and records to and from services. They hold no SQL and no rule of their own.
"""
