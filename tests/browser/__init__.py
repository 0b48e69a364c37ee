"""Browser tests: the pages in Chromium, with axe, in light and dark, empty and full, by keyboard and on a phone."""
