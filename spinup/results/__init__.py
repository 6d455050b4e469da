"""The reading side: from run directories to tables."""
