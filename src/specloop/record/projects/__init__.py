"""Projects: the repositories and folders whose sessions are recorded, under every id that clients give them."""
