"""Tests of the pages, the theme and the build."""
