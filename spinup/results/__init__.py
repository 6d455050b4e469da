"""The reading side: run directories as tables. Reads text and JSON only, and never unpickles."""
