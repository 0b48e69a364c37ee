"""The HTTP application: assembly, error renderers, pages, and the glue between stages."""
