"""Runs as one document: the verdict, its tables and pictures, and how to run it all again."""
